"""What runs: one market under one seed, with all that is measured on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from omnisim.spec import ExperimentSpec
from omnisim.validate.targets import Target

if TYPE_CHECKING:
    from omnisim.validate.cohort import Cohort

FIRST_SEED = 9001  # calibration uses 1 and its neighbours, and never these
CDNOW = "cdnow"
# How each market is asked for: nobody steers, and two years are on record.
WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        CDNOW: ("experiment=cdnow", "market.people=23570"),  # as many as CDNOW's whole file
        "fashion_home_de": (
            *("market=fashion_home_de", "steering=frozen", "truth=none"),
            *("horizon.history_weeks=104", "horizon.weeks=52"),
        ),
    }
)


@dataclass(frozen=True)
class Unit:
    """What runs at once: the targets of one market under one seed, sharing one history."""

    spec: ExperimentSpec
    targets: tuple[Target, ...]

    @property
    def seed(self) -> int:
        """Return the seed."""
        return self.spec.seed

    @property
    def market(self) -> str:
        """Return the market on which all of them are measured."""
        return self.targets[0].market


@dataclass(frozen=True)
class Measured:
    """What was found under one seed, by the targets' keys: numbers, or why there are none."""

    seed: int
    values: Mapping[str, float]
    openings: Mapping[str, str]


def units(targets: Sequence[Target], specs: Mapping[str, ExperimentSpec], seeds: int) -> list[Unit]:
    """Return what has to run for some targets; what is open for good needs nothing."""
    measurable = [target for target in targets if not target.opening]
    markets = sorted({target.market for target in measurable}, reverse=True)
    return [
        Unit(
            specs[market].model_copy(update={"seed": FIRST_SEED + nth}),
            tuple(target for target in measurable if target.market == market),
        )
        for nth in range(seeds)
        for market in markets
    ]


def measured(unit: Unit) -> Measured:
    """Live a market under a seed and measure its targets."""
    # Imported by the one who measures: the process that asks starts without compilers.
    from omnisim.validate.diary import Open

    measures = _measures(unit)
    values: dict[str, float] = {}
    openings: dict[str, str] = {}
    for target in unit.targets:
        try:
            values[target.key] = measures[target.key](target)
        except Open as reason:
            openings[target.key] = str(reason)
    return Measured(unit.seed, values, openings)


def _measures(unit: Unit) -> dict[str, Callable[[Target], float]]:
    """Return how each target of a unit is measured, all on one history."""
    from omnisim.validate import cohort, customers, response, trials
    from omnisim.validate.replication import Replication

    if unit.market == CDNOW:
        lived = cohort.lived(unit.spec)
        return {
            key: partial(_of_cohort, measure, lived) for key, measure in cohort.MEASURES.items()
        }
    replication = Replication(unit.spec)
    found = customers.MEASURES | response.MEASURES | trials.MEASURES
    return {key: partial(measure, replication) for key, measure in found.items()}


def _of_cohort(measure: Callable[[Cohort], float], cohort: Cohort, target: Target) -> float:
    return measure(cohort)
