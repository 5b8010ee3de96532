"""How fast is it here: omnisim beside three twins of one small market, and by itself.

Every number is CPU time of one core per person and day. Machines are noisy, so engines
take turns, round by round, and medians are told; ratios are medians of the rounds' ratios.
"""

from __future__ import annotations

import gc
import multiprocessing
import resource
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Protocol

from omnisim import config
from omnisim.bench import small
from omnisim.bench.floor import Floor
from omnisim.bench.numpy_twin import Columns
from omnisim.bench.plain_mesa import Idle, Society
from omnisim.bench.small import NOTHING, TARGETS, TOLERANCE, Counts, Unlike
from omnisim.records import CHANNEL_COLUMNS, COMPANY_COLUMNS, MEDIA_COLUMNS
from omnisim.simulation import Simulation
from omnisim.spec import DAYS_IN_WEEK, DAYS_IN_YEAR, ExperimentSpec, Market

WARM_UP = 4 * DAYS_IN_WEEK  # goodwill finds its level, Python's memory is as used as it gets
OMNISIM, FLOOR, NUMPY = "omnisim", "floor", "NumPy"
MESA, EMPTY = "plain Mesa", "empty step"
LEAST, MOST = 8, 16  # empty steps that a good plain-Mesa twin of this market costs
NAN = float("nan")


@dataclass(frozen=True)
class Plan:
    """How much is measured: `sizes` in people, `year` the people of the year (0: none)."""

    people: int = 100_000
    rounds: int = 7
    sizes: tuple[int, ...] = (10_000, 40_000, 160_000)
    default_people: int = 100_000
    year: int = 1_000_000


QUICK = Plan(people=20_000, rounds=3, sizes=(10_000, 40_000), default_people=5_000, year=0)


@dataclass(frozen=True)
class Row:
    """What one engine took: `cpu_ns` per person-day, `times_mesa` as fast as plain Mesa.

    `held_bytes` per person are what stays allocated, `peak_bytes` the most that the whole
    process ever held; rates per person-day. NaN: not measured.
    """

    part: str
    engine: str
    market: str
    people: int
    cpu_ns: float
    times_mesa: float = NAN
    held_bytes: float = NAN
    peak_bytes: float = NAN
    contacts: float = NAN
    journeys: float = NAN
    orders: float = NAN


class Engine(Protocol):
    """Anything that can live a day and count."""

    def step(self) -> None:
        """Live one day."""
        ...

    def counts(self) -> Counts:
        """Return what has happened so far."""
        ...


class Omnisim:
    """omnisim itself, from the end of the burn-in, under what the firm does today."""

    def __init__(self, spec: ExperimentSpec) -> None:
        self.world = Simulation(spec, 0)
        self.world.adopt(spec.status_quo)
        self.world.run_to(0)
        self.persons_per_agent = people_market(spec).weight

    def step(self) -> None:
        """Live one day."""
        self.world.step()

    def counts(self) -> Counts:
        """Return what the books say; weeks are booked as a whole."""
        ledger, weight = self.world.state.ledger, self.persons_per_agent
        return Counts(
            sum(week[:, MEDIA_COLUMNS.index("contacts")].sum() for week in ledger.media) / weight,
            sum(week[COMPANY_COLUMNS.index("needs")] for week in ledger.company) / weight,
            sum(week[:, CHANNEL_COLUMNS.index("orders")].sum() for week in ledger.channels)
            / weight,
        )


@dataclass
class Runner:
    """An engine under the stopwatch.

    `turn` in days; `held_bytes` per person; `taken` CPU ns per person-day of every turn;
    `before` what had happened when the first turn began.
    """

    engine: Engine
    people: int
    turn: int
    held_bytes: float = NAN
    before: Counts = NOTHING
    taken: list[float] = field(default_factory=list)

    def live(self, days: int) -> float:
        """Live some days and return the CPU ns per person-day."""
        began = time.process_time_ns()
        for _ in range(days):
            self.engine.step()
        return (time.process_time_ns() - began) / days / self.people

    def take_turn(self) -> None:
        """Live a turn and note what it took."""
        self.taken.append(self.live(self.turn))

    def row(self, part: str, market: str, times_mesa: float = NAN) -> Row:
        """Return what the turns so far have shown."""
        now, person_days = self.engine.counts(), self.people * self.turn * len(self.taken)
        return Row(
            part=part,
            engine=NAMES[type(self.engine)],
            market=market,
            people=self.people,
            cpu_ns=median(self.taken),
            times_mesa=times_mesa,
            held_bytes=self.held_bytes,
            contacts=(now.contacts - self.before.contacts) / person_days,
            journeys=(now.journeys - self.before.journeys) / person_days,
            orders=(now.orders - self.before.orders) / person_days,
        )


NAMES: dict[type, str] = {
    Omnisim: OMNISIM,
    Floor: FLOOR,
    Columns: NUMPY,
    Society: MESA,
    Idle: EMPTY,
}


def bench(plan: Plan, home: Path | None, tell: Callable[[str], None]) -> list[Row]:
    """Measure everything; `home` is a folder of configs of one's own."""
    compile_kernels(small_market(100, home))
    tell(f"The small market, {plan.people:,} people: every engine takes {plan.rounds} turns")
    rows = engines(small_market(plan.people, home), plan.rounds)
    tell("omnisim by the number of people")
    rows += alone("sizes", [small_market(people, home) for people in plan.sizes], plan.rounds)
    if plan.year:
        tell(f"A year of {plan.year:,} people")
        rows.append(year(plan.year, home))
    tell("The default market")
    spec = config.load([f"market.people={plan.default_people}"], home)[0]
    return [*rows, *alone("default", [spec], plan.rounds)]


def small_market(people: int, home: Path | None = None) -> ExperimentSpec:
    """Return the small market with nobody at the wheel."""
    words = ["market=small", "steering=frozen", f"market.people={people}"]
    return config.load(words, home)[0]


def people_market(spec: ExperimentSpec) -> Market:
    """Return the market; raises Unlike for one without people."""
    if not isinstance(spec.market, Market):
        raise Unlike(f"market {spec.market.name}: no people to measure")
    return spec.market


def compile_kernels(spec: ExperimentSpec) -> None:
    """Live a day, so that compiling is neither timed nor weighed."""
    for engine in (Omnisim(spec), Floor(Simulation(spec, 0).state.people)):
        engine.step()


def engines(spec: ExperimentSpec, rounds: int) -> list[Row]:
    """Let omnisim and its twins take turns on the small market.

    Turns differ in days, so that the fast and the slow take about as long.
    """
    market = people_market(spec)
    words, people = small.read(market), market.people
    runners = [
        runner(partial(Omnisim, spec), people, 56),
        runner(lambda: Floor(Simulation(spec, 0).state.people), people, 56),
        runner(partial(Columns, words, people, spec.seed), people, 28),
        runner(partial(Society, words, people, spec.seed), people, 7),
        runner(partial(Idle, people), people, 7),
    ]
    take_turns(runners, rounds)
    anchor = runners[3].taken
    return [
        each.row(
            "engines",
            market.name,
            median(mesa / own for mesa, own in zip(anchor, each.taken, strict=True)),
        )
        for each in runners
    ]


def alone(part: str, specs: Sequence[ExperimentSpec], rounds: int) -> list[Row]:
    """Let omnisim take turns with itself, to see whether the cost is linear in people."""
    markets = [people_market(spec) for spec in specs]
    runners = [
        runner(partial(Omnisim, spec), market.people, 28)
        for spec, market in zip(specs, markets, strict=True)
    ]
    take_turns(runners, rounds)
    return [each.row(part, market.name) for each, market in zip(runners, markets, strict=True)]


def take_turns(runners: Sequence[Runner], rounds: int) -> None:
    """Let everyone take a turn, round by round, so that a slow moment is everyone's."""
    for _ in range(rounds):
        for each in runners:
            each.take_turn()


def runner(make: Callable[[], Engine], people: int, turn: int) -> Runner:
    """Make an engine, weigh it after its first day and warm it up."""
    gc.collect()
    tracemalloc.start()
    engine = make()
    engine.step()
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    made = Runner(engine, people, turn, held / people)
    made.live(WARM_UP - 1)
    made.before = engine.counts()
    return made


def year(people: int, home: Path | None) -> Row:
    """Live a year of the small market in a process of its own, whose memory is nobody else's."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_year, people, home).result()


def _year(people: int, home: Path | None) -> Row:
    spec = small_market(people, home)
    each = Runner(Omnisim(spec), people, DAYS_IN_YEAR)
    each.take_turn()
    return replace(each.row("year", spec.market.name), peak_bytes=peak_bytes())


def peak_bytes() -> float:
    """Return the most memory that this process has held.

    Linux's own count is read where there is one: `getrusage` also counts what the parent
    held when it started this process.
    """
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return float(peak.split()[1]) * 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(used if sys.platform == "darwin" else used * 1024)


def notes(rows: Sequence[Row]) -> list[str]:
    """Tell in words what the numbers say, and what would make them worth nothing."""
    times = {row.engine: row.times_mesa for row in rows if row.part == "engines"}
    sound = "a sound anchor" if LEAST <= times[EMPTY] <= MOST else "no sound anchor"
    by_size = [row for row in rows if row.part in ("sizes", "year")]
    grown = by_size[-1].cpu_ns / by_size[0].cpu_ns
    told = [
        f"A person-day of omnisim is {times[OMNISIM]:.0f} times as fast as one of plain Mesa"
        f" (NumPy: {times[NUMPY]:.0f} times).",
        f"It takes {times[FLOOR] / times[OMNISIM]:.1f} times the floor, which only touches the"
        " same columns and draws one number a person.",
        f"Plain Mesa costs {times[EMPTY]:.1f} empty steps of AgentSet.do: {sound}"
        f" ({LEAST} to {MOST}).",
        f"With {by_size[-1].people:,} people a person-day costs {grown:.2f} times as much as"
        f" with {by_size[0].people:,}.",
    ]
    mesa = next(row for row in rows if row.engine == MESA)
    told += [
        f"A person-day of {row.market} is {mesa.cpu_ns / row.cpu_ns:.0f} times as fast as plain"
        " Mesa's of the small market."
        for row in rows
        if row.part == "default"
    ]
    told += [
        f"A year of {row.people:,} people held at most {row.peak_bytes / 2**30:.2f} GiB."
        for row in rows
        if row.part == "year"
    ]
    return told + [
        f"Do not compare {row.engine} here: its {what} are"
        f" {getattr(row, what) / target - 1:+.1%} off."
        for row in rows
        for what, target in TARGETS.items()
        if row.part == "engines"
        and getattr(row, what) > 0
        and abs(getattr(row, what) / target - 1) > TOLERANCE
    ]
