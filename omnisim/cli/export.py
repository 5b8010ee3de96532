"""A marketing data set with its answer key, from the specification in a results folder."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from omnisim import config, files
from omnisim.cli import Parser, complain, warn
from omnisim.spec import ExperimentSpec, Fault

DESCRIPTION = """\
Write what an analyst would see of one arm in one replication (spend, contacts, orders and
revenue by week, region and channel; paths to an order), and the true effects beside it."""
EXAMPLES = """\
examples:
  python -m omnisim export results/silo_vs_central/2026-01-31_12-00-00-000000
  python -m omnisim export out --arm central --replication 3 --to data
"""
PLACE = "export"  # within the results folder


def main(words: Sequence[str]) -> int:
    """Write the data set and return the exit status."""
    options = parser().read(words)
    try:
        spec = _spec(options.folder)
        folder = options.to or options.folder / PLACE
        _ready(folder)
        _lived(options.folder, options.replication)
        _same_model(options.folder)
        written = _write(spec, options, folder)
    except config.ConfigError as error:
        return complain(error)
    except Fault as fault:
        return complain(config.told(fault))
    for path in written:
        print(path)
    return 0


def parser() -> Parser:
    """Return what may be typed."""
    typed = Parser("export", DESCRIPTION, EXAMPLES)
    typed.add_argument("folder", type=Path, metavar="RESULTS_FOLDER", help="where spec.yaml lies")
    typed.add_argument("--arm", metavar="NAME", help="which strategy (default: the baseline)")
    typed.add_argument(
        "--replication", type=_natural, default=0, metavar="N", help="which luck (default 0)"
    )
    typed.add_argument(
        "--to", type=Path, metavar="DIR", help=f"where to write (default: RESULTS_FOLDER/{PLACE})"
    )
    return typed


def _natural(word: str) -> int:
    if not word.isdecimal():
        raise argparse.ArgumentTypeError(f"found {word}, allowed: 0, 1, 2 and so on")
    return int(word)


def _spec(folder: Path) -> ExperimentSpec:
    path = folder / "spec.yaml"
    if not path.is_file():
        allowed = "the folder of a result, in which spec.yaml lies"
        raise config.ConfigError("RESULTS_FOLDER", f"'{folder}'", allowed)
    return config.read(path)


def _ready(folder: Path) -> None:
    """Refuse, before anything is simulated, a folder that cannot be written."""
    from omnisim.store import writable

    try:
        writable(folder)
    except OSError as error:
        raise config.ConfigError("--to", str(error), "a folder to write into") from None


def _lived(folder: Path, replication: int) -> None:
    """Refuse luck of which the results say nothing."""
    lived = _stored(folder / "summary.json", "replications")
    if isinstance(lived, int) and replication >= lived:
        raise config.ConfigError("--replication", str(replication), f"0 to {lived - 1}")


def _same_model(folder: Path) -> None:
    """Say so where another version of the model made the results: its numbers differ."""
    from omnisim.sources import model_version

    made_by = _stored(folder / "provenance.json", "model")
    if made_by is not None and made_by != model_version():
        warn(f"{folder} was made by another version of the model; the data are of this version")


def _stored(path: Path, key: str) -> object:
    """Return what a file of the results says of a key, None if nothing can be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))[key]
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _write(spec: ExperimentSpec, options: argparse.Namespace, folder: Path) -> list[Path]:
    # What simulates imports compilers, which a mistyped word need not wait for.
    from omnisim.export import export

    found = export(spec, options.arm or spec.baseline, options.replication)
    written = []
    for name, table in found.tables.items():
        path = folder / f"{name}.csv"
        try:
            with files.whole(path) as file:
                file.write(table.to_csv(index=False, lineterminator="\n").encode())
        except OSError as error:
            raise config.ConfigError("--to", str(error), "a folder to write into") from None
        written.append(path)
    return written
