"""Is the model right? Measures what a market's output should hit, seed by seed."""

from omnisim.validate.findings import Finding, findings, openings, tally
from omnisim.validate.targets import Target, chosen, every
from omnisim.validate.work import FIRST_SEED, WORDS, Measured, Unit, measured, units

__all__ = [
    "FIRST_SEED",
    "WORDS",
    "Finding",
    "Measured",
    "Target",
    "Unit",
    "chosen",
    "every",
    "findings",
    "measured",
    "openings",
    "tally",
    "units",
]
