"""Answer a question, or every point of a sweep: from what was typed to the results folder."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from omnisim import config
from omnisim.cli import Parser, complain, warn
from omnisim.inventory import missing
from omnisim.language import Language, language
from omnisim.spec import ExperimentSpec, Fault, Medium, Strategy

# Evidence, store and report import pandas and more, which a mistyped word need not wait for.
if TYPE_CHECKING:
    from omnisim.cli.sweep import Point
    from omnisim.experiment import Answer

KEPT = "finished replications are kept and used when asked again"
EXAMPLES = """\
examples:
  python -m omnisim run seed=7 market.people=5000 hydra.run.dir=out
  python -m omnisim run arms.central.steering.review_weeks=13
  python -m omnisim run -m market.start=grown,equal steering.review_weeks=2,4,13
  python -m omnisim run --spec results/silo_vs_central/.../spec.yaml

`python -m omnisim configs` prints the menu of groups and options.
"""


def main(words: Sequence[str]) -> int:
    """Run what was asked and return the exit status: 0, 1 failed, 2 refused, 130 interrupted."""
    options = _parser().read(words)
    try:
        return _sweep(options) if options.multirun else _one(options, words)
    except config.ConfigError as error:
        return complain(error)
    except KeyboardInterrupt:
        return complain(f"interrupted; {KEPT}", 130)
    except OSError as error:
        return complain(f"{error}; {KEPT}", 1)


def _parser() -> Parser:
    parser = Parser("run", "Answer the question of an experiment.", EXAMPLES)
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="an option or a value")
    parser.add_argument(
        "-m", "--multirun", action="store_true", help="run every combination of a,b,c values"
    )
    parser.add_argument(
        "--spec", type=Path, metavar="FILE", help="ask again what a spec.yaml of a result asked"
    )
    parser.add_argument(
        "--trace", action="store_true", help="show the traceback of a replication that failed"
    )
    return parser


def _one(options: argparse.Namespace, words: Sequence[str]) -> int:
    if options.spec is not None:
        spec, run = config.again(options.spec, options.overrides)
    else:
        spec, run = config.load(options.overrides, options.config_dir)
    others = variants(spec) if run.robustness else {}
    _ready("hydra.run.dir", run.folder, spec)
    told = language(run.language)
    _warn([spec], told)
    return _answered(spec, run.folder, words, told, options.trace, others) is None


def _sweep(options: argparse.Namespace) -> int:
    """Run every point of a sweep, after all were found sound; one table at the end."""
    if options.spec is not None:
        raise config.ConfigError("--spec", "it beside -m", "one of the two")
    if any(word.lstrip("+").startswith("hydra.run.dir") for word in options.overrides):
        raise config.ConfigError("hydra.run.dir", "it beside -m", "hydra.sweep.dir")
    points = config.expand(options.overrides, options.config_dir)
    asked = [config.load(point, options.config_dir) for point in points]
    folder = asked[0][1].sweep_folder
    for spec, run in asked:
        if run.robustness:
            raise config.ConfigError("robustness", "true beside -m", "market.start=a,b,c")
        _ready("hydra.sweep.dir", folder, spec)
    _warn([spec for spec, _ in asked], language(asked[0][1].language))

    from omnisim.cli import sweep

    home = ["--config-dir", str(options.config_dir)] if options.config_dir else []
    found: list[Point] = []
    for number, (words, (spec, run)) in enumerate(zip(points, asked, strict=True)):
        print(f"\n[{number + 1} of {len(points)}] {' '.join(words)}", file=sys.stderr)
        told = language(run.language)
        answer = _answered(spec, folder / str(number), [*home, *words], told, options.trace)
        if answer is not None:
            found.append(sweep.Point(number, sweep.swept(words, points), answer))
    if found:
        sweep.write(folder / "merged.csv", found)
        sweep.show(found, folder / "merged.csv", language(asked[0][1].language))
    return 0 if len(found) == len(points) else 1


def _warn(specs: Sequence[ExperimentSpec], words: Language) -> None:
    """Say once what a use case wants and the market does not have."""
    for line in dict.fromkeys(line for spec in specs for line in missing(spec.market, words)):
        warn(line, words.say("warning"))


def variants(spec: ExperimentSpec) -> dict[str, ExperimentSpec]:
    """Return the same question asked otherwise, by what is other about it.

    From every other start that the market has; and with the messages to customers left as
    they are, for they cost next to nothing and could win for any rule that may buy more.
    """
    market = spec.market
    asked = {}
    for start in sorted({*market.splits, "equal"} - {market.start}) if market.media else []:
        elsewhere = market.model_copy(update={"start": start})
        asked[f"market.start={start}"] = spec.model_copy(update={"market": elsewhere})
    messages = tuple(
        name
        for name, medium in sorted(market.media.items())
        if isinstance(medium, Medium) and medium.aim == "customers"
    )
    if messages:
        arms = {name: _leaving(arm, messages) for name, arm in spec.arms.items()}
        key = f"steering.fixed=[{','.join(messages)}]"
        asked[key] = spec.model_copy(update={"arms": arms})
    return {key: one.model_copy(update={"truth": "none"}) for key, one in asked.items()}


def _leaving(arm: Strategy, media: tuple[str, ...]) -> Strategy:
    fixed = tuple(sorted({*arm.steering.fixed, *media}))
    steering = arm.steering.model_copy(update={"fixed": fixed})
    return arm.model_copy(update={"steering": steering})


def _ready(key: str, folder: Path, spec: ExperimentSpec) -> None:
    """Refuse, before anything runs, what only the evidence or the disk can refuse."""
    from omnisim.measures import check
    from omnisim.store import default_folder, writable

    try:
        check(spec)
    except Fault as fault:
        raise config.told(fault) from None
    for name, place in ((key, folder), ("OMNISIM_STORE", default_folder())):
        try:
            writable(place)
        except OSError as error:
            raise config.ConfigError(name, str(error), "a folder to write into") from None


def _answered(
    spec: ExperimentSpec,
    folder: Path,
    typed: Sequence[str],
    words: Language,
    trace: bool,
    others: Mapping[str, ExperimentSpec] = MappingProxyType({}),
) -> Answer | None:
    """Answer one question, write its results and show them; None if a replication failed."""
    from rich.console import Console

    from omnisim import report
    from omnisim.cli import sweep, table
    from omnisim.comparison import capitalised
    from omnisim.compute import run_units
    from omnisim.experiment import Stopped, run
    from omnisim.measures import weakest_link
    from omnisim.sources import is_compiled, model_version
    from omnisim.store import Store, default_folder, write_results

    began = time.monotonic()
    store = Store(default_folder(), model_version())
    try:
        bar = table.progress_bar(Console(stderr=True), words, compiling=not is_compiled())
        with bar as tell:
            answer, *rest = [
                run(one, store, run_units, tell, words) for one in (spec, *others.values())
            ]
    except Stopped as stop:
        complain(f"{stop}; {KEPT}", 1)
        if trace:
            print(stop.trace, file=sys.stderr)
        return None
    asked = ["", *others]
    points = [
        sweep.Point(number, {"asked with": key}, one)
        for number, (key, one) in enumerate(zip(asked, [answer, *rest], strict=True))
    ]
    links = (weakest_link(answer.measures, arm, words) for arm in answer.comparison.arms)
    weakest = [capitalised(link) for link in links]
    notes = [
        words.say("With {what}: {verdict}", what=point.swept["asked with"], verdict=said)
        for point in points[1:]
        for said in [" ".join(point.answer.comparison.sentences(words))]
    ]
    notes += [sentence for sentence in weakest if sentence]
    write_results(
        folder,
        answer,
        command=shlex.join(["python", "-m", "omnisim", *typed]),
        model=model_version(),
        elapsed_seconds=time.monotonic() - began,
        language=words.code,
    )
    if rest:
        sweep.write(folder / "robustness.csv", points)
    table.show(Console(), answer, report.write(folder, words), notes, words)
    return answer
