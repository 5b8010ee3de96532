from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

import omnisim
from omnisim import config, simulation
from omnisim.__main__ import main
from omnisim.spec import ExperimentSpec, Market, Steering

WRONG = sorted((Path(__file__).parent / "wrong").glob("*.yaml"))
ROOT = Path(omnisim.__file__).parents[1]
TINY = (
    "market=identical",
    "organigram=pairs",
    "market.people=50",
    "market.burn_in_weeks=4",
    "horizon.history_weeks=8",
    "horizon.weeks=4",
    "replications.min=2",
    "replications.max=2",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that is the working directory."""
    here = tmp_path / "somewhere else"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def typed(*words: str) -> int:
    """Return the exit status of the words after `python -m omnisim`."""
    try:
        return main(words)
    except SystemExit as left:
        return int(left.code or 0)


def pattern(expected: str) -> re.Pattern[str]:
    """Return a pattern in which `...` stands for anything."""
    return re.compile(".*".join(map(re.escape, expected.split("..."))))


def own(folder: Path, name: str, text: str) -> Path:
    """Write an experiment of one's own and return the folder for `--config-dir`."""
    home = folder / "my configs"
    (home / "experiment").mkdir(parents=True, exist_ok=True)
    (home / "experiment" / f"{name}.yaml").write_text(text)
    return home


# One's own channel and persona


def test_a_channel_and_a_persona_are_added_in_yaml_alone(tmp_path: Path) -> None:
    home = own(
        tmp_path,
        "by_post",
        """
# @package _global_
defaults:
  - silo_vs_central
  - override /market: identical
  - override /organigram: pairs
  - _self_
truth: none
horizon: {history_weeks: 26, weeks: 2}
organigram: {catalogue: {owns: [catalogue]}}
market:
  people: 1000
  burn_in_weeks: 0
  channels:
    catalogue:
      online: false
      identity: 0.9
      success: {inform: 0.7, evaluate: 0.7, buy: 0.7}
      lost: {inform: 0.1, evaluate: 0.1, buy: 0.1}
      basket: 80
      margin: 0.4
  segments:
    everybody: {share: 0.5}
    readers:
      share: 0.5
      needs: 12
      base: 1
      consent: 0.2
      searches: 0.1
      prefers: {inform: {catalogue: 2}, evaluate: {catalogue: 2}, buy: {catalogue: 3}}
""",
    )
    spec = config.load(["experiment=by_post"], home)[0]
    weekly = simulation.simulate(spec, 0, ["siloed"])["siloed"].weekly
    orders = weekly.groupby("channel")["orders"].sum()
    assert orders["catalogue"] > orders["shop"] > 0


# Refusals


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_a_wrong_file_is_refused_in_one_line(
    path: Path, tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = path.read_text()
    expected = next(line for line in text.splitlines() if line.startswith("# expect: "))[10:]
    home = own(tmp_path, path.stem, text)
    assert typed(f"experiment={path.stem}", "--config-dir", str(home)) == 2
    out, err = capsys.readouterr()
    assert not out
    assert pattern(f"omnisim: {expected}\n").fullmatch(err), err
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("market.peple=5", "market.peple: found an unknown key; ...; nearest: market.people"),
        ("+market.peple=5", "market.peple: found an unknown key; ...; nearest: market.people"),
        ("+foo=1", "foo: found an unknown key; allowed: arms, ..."),
        ("people=5", "people: found an unknown key; ...; nearest: market.people"),
        ("market.people.x=5", "market.people.x: found an unknown key; allowed: one value"),
        ("experimnt=x", "experimnt: found an unknown key; ...; nearest: experiment"),
        (
            "experiment=silo_vs_centrl",
            "experiment: found 'silo_vs_centrl'; allowed: attr...; nearest: silo_vs_central",
        ),
        ("market=cdnw", "market: found 'cdnw'; allowed: ...; nearest: cdnow"),
        ("steering=silod", "steering: found 'silod'; allowed: bottom_up, ...; nearest: siloed"),
        ("steering.kind=silod", "steering.kind: found 'silod'; ...; nearest: siloed"),
        ("~market", "market: found '~market'; allowed: ..."),
        ("market.media.tvv.price=1", "market.media.tvv: found 'tvv'; allowed: ...; nearest: tv"),
        ("market.media.tv.aim=all", "market.media.tv.aim: found 'all'; allowed: ..., visitors"),
        ("market.people=abc", "market.people: found 'abc'; allowed: a whole number"),
        ("market.people=true", "market.people: found true; allowed: a whole number"),
        ("market.people=0", "market.people: found 0; allowed: at least 1"),
        ("market.budget=-1", "market.budget: found -1; allowed: at least 0"),
        ("market.budget=nan", "market.budget: found nan; allowed: a finite number"),
        ("market.budget=inf", "market.budget: found inf; allowed: a finite number"),
        ("market.start=grwn", "market.start: found 'grwn'; allowed: ...; nearest: grown"),
        ("market.kind=textbok", "market.kind: found 'textbok'; ...; nearest: textbook"),
        ("market.kind=null", "market.kind: found nothing; allowed: people, textbook"),
        ("seed=-1", "seed: found -1; allowed: at least 0"),
        (
            "integration.transaction_data=1.2",
            "integration.transaction_data: found 1.2; allowed: at most 1",
        ),
        (
            "replications.max=3",
            "replications.max: found 3; allowed: at least replications.min = 10",
        ),
        (
            "arms.central.market.people=5",
            "arms.central.market: found 'market'; allowed: in an arm, decisions only: ...",
        ),
        (
            "arms.central.steering.knd=equal",
            "arms.central.steering.knd: ...; nearest: arms.central.steering.kind",
        ),
        ("arms.centrl.steering.kind=equal", "arms.centrl: found 'centrl'; ...; nearest: central"),
        ("~arms.siloed", "baseline: found 'siloed'; allowed: one of the arms (central)"),
        ("~arms.foo", "arms.foo: found nothing to delete by '~arms.foo'; allowed: ..."),
        ("+market._target_=os.system", "market._target_: found '_target_'; allowed: kinds ..."),
        ("outcomes.primary=proft", "outcomes.primary: found 'proft'; allowed: an outcome (...)..."),
        ("language=fr", "language: found 'fr'; allowed: de, en"),
        ("robustness=1", "robustness: found 1; allowed: true or false"),
        ("market.drift=0,0.1", "market.drift: found several values ...; allowed: ..., or -m ..."),
        ("hydra.run.dir=", "hydra.run.dir: found ''; allowed: a folder that can be written"),
        ("hydra.run.dir=null", "hydra.run.dir: found nothing; allowed: ..."),
        ("hydra.rundir=x", "hydra.rundir: found an unknown key; ...; nearest: hydra.run.dir"),
        ("hydra/launcher=x", "hydra/launcher: found an unknown key; allowed: hydra.run.dir, ..."),
        ("seed=f(1)", "seed: found 'seed=f(1)'; allowed: key=value, ..."),
        ("=1", "a word: found '=1'; allowed: key=value, ..."),
        ("cnfigs", "cnfigs: unknown command; allowed: ...; nearest: configs"),
        ("--config-dri", "--config-dri: unknown; nearest: --config-dir"),
    ],
)
def test_a_wrong_word_is_refused_in_one_line(
    word: str, expected: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(word) == 2
    out, err = capsys.readouterr()
    assert not out
    assert pattern(f"omnisim: {expected}\n").fullmatch(err), err
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("market.people=5", "market.people: found an unknown key; allowed: baseline_orders, ..."),
        ("carryover=1", "carryover: found an unknown key; allowed: arms, ..."),
        ("market.bugdet=1", "market.bugdet: ...; nearest: market.budget"),
        ("market.start=legcy", "market.start: found 'legcy'; allowed: ...; nearest: legacy"),
        ("market.media.m9.leak=0", "market.media.m9: found 'm9'; allowed: m1, m2, m3, m4, or ..."),
        (
            "market.media.m1.carryover=0",
            "market.media.m1.carryover: ...; nearest: market.media.m1.carry_over",
        ),
        (
            "market.media.m1.curve.kind=lg",
            "market.media.m1.curve.kind: found 'lg'; allowed: ..., log, ..., power; nearest: log",
        ),
        (
            "~market.media.m1.curve.kind",
            "market.media.m1.curve.kind: found nothing; allowed: exponential, hill, ..., power",
        ),
        (
            "market.media.m1.curve.beta=1",
            "market.media.m1.curve.beta: found an unknown key; allowed: a, b, kind",
        ),
        ("market.media.m1.curve.b=0", "market.media.m1.curve.b: found 0; allowed: more than 0"),
        (
            "+market.channels.app={basket: 5, margin: 0.3}",
            "market.channels: found keys with their values; allowed: at most 1",
        ),
        (
            "market.media.m1={curve: {kind: log, a: 1, b: 1}, capture: 1.5}",
            "market.media.m1.capture: found 1.5; allowed: at most 1",
        ),
    ],
)
def test_a_wrong_word_about_a_textbook_is_refused_in_its_own_words(
    word: str, expected: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed("experiment=textbook", word) == 2
    err = capsys.readouterr().err
    assert pattern(f"omnisim: {expected}\n").fullmatch(err), err


@pytest.mark.parametrize("place", ["taken", "taken/below", "/proc/results"])
def test_an_unwritable_results_folder_is_refused_before_anything_runs(
    place: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "taken").write_text("mine")
    for words in ([f"hydra.run.dir={place}"], ["-m", f"hydra.sweep.dir={place}", "seed=1,2"]):
        assert typed(*words) == 2
        err = capsys.readouterr().err
        assert err.startswith(f"omnisim: {words[-2 if '-m' in words else 0].partition('=')[0]}: ")
        assert err.count("\n") == 1
    assert [path.name for path in folder.iterdir()] == ["taken"]


def test_one_wrong_point_stops_a_sweep_before_its_first_point(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed("-m", *TINY, "market.people=50,60,0") == 2
    assert capsys.readouterr().err == "omnisim: market.people: found 0; allowed: at least 1\n"
    assert not list(folder.iterdir())


def test_a_sweep_has_a_folder_of_its_own_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("-m", "seed=1,2", "hydra.run.dir=out") == 2
    assert capsys.readouterr().err.endswith(
        "hydra.run.dir: found it beside -m; allowed: hydra.sweep.dir\n"
    )


def test_a_file_of_omnisims_own_name_is_not_silently_ignored(tmp_path: Path) -> None:
    home = own(tmp_path, "placebo", "# @package _global_\nseed: 7\n")
    with pytest.raises(config.ConfigError, match=r"--config-dir: found .*, which omnisim has"):
        config.load([], home)


def test_a_config_dir_that_is_not_there_is_refused(folder: Path) -> None:
    assert typed("--config-dir", "nowhere") == 2
    assert not list(folder.iterdir())


# What is accepted


@pytest.mark.parametrize(
    ("group", "name"),
    [
        (group, name)
        for group, options in config.menu().items()
        for name in options
        if group not in ("market", "organigram")  # each fits its own experiment
    ],
)
def test_every_option_of_the_menu_can_be_chosen(group: str, name: str) -> None:
    assert config.menu()[group][name].purpose
    config.load([f"{group}={name}"])


def test_values_that_are_typed_reach_the_spec() -> None:
    spec, _ = config.load(
        ["market.people=1e5", "seed=9", "market.drift=0.02", "market.start=equal"]
    )
    assert isinstance(spec.market, Market)
    assert (spec.market.people, spec.seed) == (100_000, 9)
    assert (spec.market.drift, spec.market.start) == (0.02, "equal")


def test_a_market_brings_its_own_organigram() -> None:
    spec, _ = config.load(["experiment=placebo"])
    assert spec.market.name == "identical"
    assert sorted(spec.status_quo.organigram) == ["left", "middle", "right", "sales"]


def test_a_strategy_is_a_bundle_that_single_choices_override() -> None:
    spec, _ = config.load(["strategy=omnichannel", "incentives=mixed"])
    assert spec.status_quo.steering.kind == "central"
    assert spec.status_quo.integration.information_access == 0.9
    assert spec.status_quo.incentives.company_weight == 0.5


def test_an_arm_is_a_patch_on_the_status_quo() -> None:
    spec, _ = config.load(["steering.review_weeks=13", "arms.central.steering.damping=1"])
    central = spec.arms["central"]
    assert (central.steering.kind, central.steering.damping) == ("central", 1)
    assert central.steering.review_weeks == 13
    assert central.integration == spec.status_quo.integration


def test_an_arm_can_dissolve_a_department(tmp_path: Path) -> None:
    home = own(
        tmp_path,
        "merged",
        """# @package _global_
defaults: [silo_vs_central, _self_]
arms:
  merged:
    organigram:
      social: null
      performance:
        owns: [search_brand, search_generic, display, retargeting, affiliate, paid_social]
""",
    )
    spec, _ = config.load(["experiment=merged"], home)
    assert "social" in spec.arms["siloed"].organigram
    assert "social" not in spec.arms["merged"].organigram


@pytest.mark.parametrize("plus", ["", "+", "++"])
def test_an_arm_can_be_added_and_another_deleted(plus: str) -> None:
    spec, _ = config.load([f"{plus}arms.mine.steering.kind=equal", "~arms.central"])
    assert sorted(spec.arms) == ["mine", "siloed"]
    assert spec.arms["mine"].steering == Steering(kind="equal")


def test_the_order_of_words_and_of_keys_changes_nothing(tmp_path: Path) -> None:
    words = ["market.people=500", "seed=3", "experiment=placebo"]
    assert config.load(words)[0] == config.load(words[::-1])[0]


def test_the_experiment_bears_the_name_of_its_file(tmp_path: Path, folder: Path) -> None:
    home = own(tmp_path, "my_idea", "# @package _global_\ndefaults: [silo_vs_central, _self_]\n")
    spec, run = config.load(["experiment=my_idea"], home)
    assert spec.experiment == "my_idea"
    assert run.folder.parent == folder / "results" / "my_idea"


def test_the_results_folder_is_exactly_the_one_that_was_typed(folder: Path) -> None:
    assert config.load(["hydra.run.dir=out"])[1].folder == folder / "out"


def test_the_spec_in_a_results_folder_asks_the_same_again(folder: Path) -> None:
    spec, _ = config.load(["experiment=placebo", "+arms.mine.steering.kind=equal", "seed=4"])
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(spec.model_dump(mode="json"), sort_keys=False))
    same, run = config.again(path, ["hydra.run.dir=out"])
    assert same == spec
    assert run.folder == folder / "out"
    with pytest.raises(config.ConfigError, match="seed: found it beside --spec"):
        config.again(path, ["seed=5"])


def test_the_composed_spec_equals_the_one_built_in_python() -> None:
    spec, _ = config.load(["experiment=cdnow"])
    assert ExperimentSpec.model_validate(spec.model_dump()) == spec


# Sweeps


def test_a_sweep_has_a_point_for_every_combination_in_hydras_order() -> None:
    points = config.expand(["seed=1,2", "market.people=range(1,3)", "~arms.mine", "steering=equal"])
    assert points == [
        (f"seed={seed}", f"market.people={people}", "~arms.mine", "steering=equal")
        for seed in (1, 2)
        for people in (1, 2)
    ]


def test_a_sweep_can_take_every_option_of_a_group() -> None:
    assert config.expand(["attribution=glob(*touch,exclude=own*)"]) == [
        ("attribution=first_touch",),
        ("attribution=last_touch",),
    ]


def test_a_sweep_ends_with_one_merged_table(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed("-m", *TINY, "seed=1,2", "hydra.sweep.dir=out") == 0
    table = pd.read_csv(folder / "out" / "merged.csv")
    assert sorted(set(table["seed"])) == [1, 2]
    assert set(table["arm"]) == {"central"}
    assert {"point", "outcome", "difference", "ci_low", "ci_high", "verdict"} <= set(table)
    assert sorted(p.name for p in folder.iterdir()) == ["out", "results"]
    assert sorted(p.name for p in (folder / "out").iterdir()) == ["0", "1", "merged.csv"]
    assert "merged.csv" in capsys.readouterr().out


# The door


def test_help_and_menu_import_nothing_heavy() -> None:
    heavy = {"numpy", "pandas", "numba", "mesa", "hydra", "rich", "omegaconf"}
    code = (
        "import sys; from omnisim.__main__ import main; main([sys.argv[1]]);"
        f"sys.exit(','.join({heavy} & set(sys.modules)) or 0)"
    )
    for word in ("--help", "configs"):
        done = subprocess.run([sys.executable, "-c", code, word], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")


def test_the_menu_marks_defaults_and_shows_ones_own_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = own(tmp_path, "my_idea", "# @package _global_\n# Does it pay?\nseed: 1\n")
    assert typed("configs", "--config-dir", str(home)) == 0
    out = capsys.readouterr().out
    assert re.search(r"^  \* silo_vs_central +What does it cost", out, re.MULTILINE)
    assert re.search(r"^    my_idea +Does it pay\?$", out, re.MULTILINE)


@pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="builds from a checkout")
def test_the_wheel_brings_its_menu_along(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(
        ROOT, source, ignore=shutil.ignore_patterns(".*", "results", "tests", "build", "*.egg-info")
    )
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", tmp_path / "wheel", source], check=True)
    [wheel] = (tmp_path / "wheel").glob("*.whl")
    shutil.unpack_archive(wheel, tmp_path / "installed", "zip")
    installed = tmp_path / "installed"
    assert not (installed / "configs").exists()
    for kind in ("*.py", "*.yaml", "*.po", "*.html", "*.css", "*.js"):
        sources = {path.relative_to(ROOT) for path in (ROOT / "omnisim").rglob(kind)}
        assert sources <= {path.relative_to(installed) for path in installed.rglob(kind)}
    code = (
        "from omnisim import config; spec, _ = config.load(['experiment=cdnow']);"
        "print(config.__file__, spec.market.name)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(installed)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(installed / "omnisim" / "config.py"), "cdnow"]
