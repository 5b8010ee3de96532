"""The report and the workbook once more, from the files of a results folder alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from omnisim import config
from omnisim.cli import Parser, complain
from omnisim.language import LANGUAGES, language

FOLDER = "the folder of a run that has ended"
DESCRIPTION = "Make report.html and summary.xlsx again from a results folder; nothing is simulated."
EXAMPLES = """\
examples:
  python -m omnisim report results/silo_vs_central/2026-01-01_00-00-00-000000
  python -m omnisim report results/silo_vs_central/2026-01-01_00-00-00-000000 language=de
"""


def main(words: Sequence[str]) -> int:
    """Write the report and return the exit status: 0, 1 nothing written, 2 refused."""
    options = parser().read(words)
    folder: Path = options.folder
    try:
        code = _language(options.settings) or _stored(folder)
    except config.ConfigError as error:
        return complain(error)
    from omnisim.report import write
    from omnisim.report.results import Unreadable

    try:
        print(write(folder, language(code)))
    except Unreadable as error:
        return complain(config.ConfigError("RESULTS_FOLDER", f"'{folder}', {error}", FOLDER))
    except OSError as error:
        return complain(error, 1)
    return 0


def parser() -> Parser:
    """Return the parser of this command's words."""
    found = Parser("report", DESCRIPTION, EXAMPLES)
    found.add_argument("folder", type=Path, metavar="RESULTS_FOLDER", help="what a run has written")
    found.add_argument(
        "settings",
        nargs="*",
        default=[],  # else it is told to be required
        metavar="language=CODE",
        help=f"one of {', '.join(LANGUAGES)}",
    )
    return found


def _language(settings: Sequence[str]) -> str:
    """Return the language that was typed, "" if none was."""
    code = ""
    for setting in settings:
        key, _, code = setting.partition("=")
        if key != "language":
            raise config.ConfigError(key, "an unknown key", "language")
        config.check_language(code)
    return code


def _stored(folder: Path) -> str:
    """Return the language in which the run was told."""
    try:
        told = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
        code = told.get("language", "en")
    except (OSError, ValueError, AttributeError):
        return "en"
    return code if code in LANGUAGES else "en"
