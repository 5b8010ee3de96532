from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from omnisim import bench, config
from omnisim.__main__ import main
from omnisim.bench import small
from omnisim.bench.numpy_twin import Columns
from omnisim.bench.plain_mesa import Society
from omnisim.bench.small import TARGETS, TOLERANCE
from omnisim.spec import Market

PEOPLE, TURN = 10_000, 56  # counting errs by 1.1 % (orders), so 3 % is within reach
TINY = bench.Plan(people=200, rounds=1, sizes=(100, 200), default_people=50, year=100)


def small_market() -> Market:
    """Return the small market as it is shipped."""
    return bench.people_market(bench.small_market(PEOPLE))


@pytest.mark.parametrize("engine", [bench.OMNISIM, bench.NUMPY, bench.MESA])
def test_every_engine_lives_at_the_same_rates(engine: str) -> None:
    words = small.read(small_market())
    engines: dict[str, Callable[[], bench.Engine]] = {
        bench.OMNISIM: partial(bench.Omnisim, bench.small_market(PEOPLE)),
        bench.NUMPY: partial(Columns, words, PEOPLE, 1),
        bench.MESA: partial(Society, words, PEOPLE, 1),
    }
    runner = bench.Runner(engines[engine](), PEOPLE, TURN)
    runner.live(bench.WARM_UP)
    runner.before = runner.engine.counts()
    runner.take_turn()
    row = runner.row("engines", "small")
    for what, target in TARGETS.items():
        assert getattr(row, what) == pytest.approx(target, rel=TOLERANCE), what


@pytest.mark.parametrize("mechanism", ["drift", "vat", "attention"])
def test_a_number_that_all_engines_know_may_change_and_a_mechanism_that_twins_lack_may_not(
    mechanism: str,
) -> None:
    market = small_market().model_copy(update={mechanism: 0.01})
    if mechanism == "drift":
        with pytest.raises(small.Unlike, match="market small: the twins of the bench know no"):
            small.read(market)
    else:
        small.read(market)


@pytest.mark.parametrize("market", ["fashion_home_de", "identical", "cdnow"])
def test_the_twins_refuse_a_market_that_they_would_live_differently(market: str) -> None:
    spec = config.load([f"market={market}"], None)[0]
    with pytest.raises(small.Unlike):
        small.read(bench.people_market(spec))


def test_the_bench_prints_ratios_and_writes_every_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "QUICK", TINY)
    path = tmp_path / "bench.csv"
    assert main(["bench", "--quick", "--csv", str(path)]) == 0
    out = capsys.readouterr().out
    assert "x Mesa" in out
    assert "times as fast as one of plain Mesa" in out
    rows = pd.read_csv(path)
    engines = rows[rows.part == "engines"].set_index("engine")
    assert set(engines.index) == {
        *(bench.OMNISIM, bench.FLOOR, bench.NUMPY, bench.MESA, bench.EMPTY),
    }
    assert engines.times_mesa[bench.MESA] == 1
    assert (engines.cpu_ns > 0).all()
    assert (engines.times_mesa > 0).all()
    assert (engines.held_bytes > 0).all()
    assert list(rows[rows.part == "sizes"].people) == [100, 200]
    assert (rows[rows.part == "year"].peak_bytes > 0).all()
    assert list(rows[rows.part == "default"].market) == ["fashion_home_de"]


def test_the_notes_tell_what_makes_a_comparison_worth_nothing() -> None:
    def row(engine: str, times_mesa: float, orders: float = 0.0205) -> bench.Row:
        return bench.Row(
            *("engines", engine, "small", 1000),
            cpu_ns=100 / times_mesa,
            times_mesa=times_mesa,
            contacts=0.74,
            journeys=0.037,
            orders=orders,
        )

    rows = [
        row(bench.OMNISIM, 60.0),
        row(bench.FLOOR, 600.0),
        row(bench.NUMPY, 90.0),
        row(bench.MESA, 1.0),
        row(bench.EMPTY, 12.0),
        bench.Row("sizes", bench.OMNISIM, "small", 1000, 2.0),
        bench.Row("year", bench.OMNISIM, "small", 9000, 3.0, peak_bytes=2**29),
    ]
    said = bench.notes(rows)
    assert "60 times" in said[0]
    assert "10.0 times the floor" in said[1]
    assert "12.0 empty steps of AgentSet.do: a sound anchor" in said[2]
    assert "With 9,000 people a person-day costs 1.50 times" in said[3]
    assert "at most 0.50 GiB" in said[4]
    assert len(said) == 5
    slow = [row(bench.EMPTY, 30.0) if each.engine == bench.EMPTY else each for each in rows]
    assert "no sound anchor" in bench.notes(slow)[2]
    idle = [replace(each, orders=0.015) if each.engine == bench.NUMPY else each for each in rows]
    assert bench.notes(idle)[5] == "Do not compare NumPy here: its orders are -26.8% off."


def test_an_engine_weighs_what_its_people_weigh() -> None:
    spec = bench.small_market(20_000)
    bench.compile_kernels(spec)
    held = bench.runner(partial(bench.Omnisim, spec), 20_000, 7).held_bytes
    people = bench.Omnisim(spec).world.state.people
    columns = sum(column.nbytes for column in vars(people).values()) / 20_000
    assert held == pytest.approx(columns, rel=0.1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--people", "0"], "omnisim: argument --people: found 0, allowed: at least 1"),
        (["--people", "many"], "omnisim: argument --people: "),
        (["--quik"], "omnisim: --quik: unknown; nearest: --quick"),
    ],
)
def test_a_mistyped_option_of_the_bench_is_refused_in_one_line(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["bench", *words])
    assert left.value.code == 2
    assert capsys.readouterr().err.startswith(said)


def test_help_of_the_bench_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom omnisim.__main__ import main\n"
        "try:\n    main(['bench', '--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'pandas', 'numba', 'mesa', 'hydra', 'rich'} & set(sys.modules)\n"
        "sys.exit(','.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--quick" in done.stdout
