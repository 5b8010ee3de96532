from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omnisim import config
from omnisim.files import Unwritable
from omnisim.rollout import BUILDS, LIVES
from omnisim.simulation import Simulation, snapshot
from omnisim.simulation.snapshot import SnapshotError
from omnisim.spec import DIMENSIONS, ExperimentSpec, Integration, Levels, Plan, Rollout
from tests.worlds import at_fork, digest, question, rich

QUARTER = 91
# The quarter holds the turn of the year; reviews fall into it, and are waited for on most days.
WORLD = (
    *("market.people=90", "market.burn_in_weeks=1", "horizon.history_weeks=45"),
    *("market.drift=0.02", "integration=omnichannel", "market.buying.newcomers=0.5"),
    "steering.damping=0.2",
)


@pytest.fixture(scope="module")
def spec() -> ExperimentSpec:
    return question(*WORLD)


@pytest.fixture(scope="module")
def morning(spec: ExperimentSpec) -> Simulation:
    return at_fork(spec)


@pytest.fixture
def kept(morning: Simulation, tmp_path: Path) -> Path:
    snapshot.save(morning, tmp_path / "morning")
    return tmp_path / "morning"


def everything(world: Simulation, folder: Path) -> str:
    """Return a hash of all that a snapshot of a world holds."""
    snapshot.save(world, folder / "everything")
    bits = hashlib.sha256()
    with np.load(folder / "everything", allow_pickle=False) as archive:
        for name in sorted(archive.files):
            array = archive[name]
            bits.update(repr((name, array.dtype, array.shape)).encode())
            bits.update(array.tobytes())
    return bits.hexdigest()


@pytest.mark.parametrize("arm", ["siloed", "central"])
def test_continuing_equals_never_stopping_from_every_day_of_a_quarter(
    spec: ExperimentSpec, morning: Simulation, arm: str, tmp_path: Path
) -> None:
    world = morning.fork(spec.arms[arm])
    first = world.state.day
    waited = 0
    for day in range(first, first + QUARTER):
        world.run_to(day)
        waited += all(a.due > day for a in world.state.agenda if a.kind == "review")
        snapshot.save(world, tmp_path / str(day))
    world.run_to(first + QUARTER)
    end = everything(world, tmp_path)
    assert waited > QUARTER / 2
    assert (world.state.shares != morning.state.shares).any()
    assert world.state.day // 364 > first // 364
    for day in range(first, first + QUARTER):
        resumed = snapshot.load(tmp_path / str(day), spec)
        assert resumed.state.day == day
        resumed.run_to(first + QUARTER)
        assert digest(resumed) == digest(world)
        assert everything(resumed, tmp_path) == end


@pytest.mark.parametrize("kind", ["equal", "frozen", "given"])
def test_a_world_under_any_steering_goes_on(
    spec: ExperimentSpec, morning: Simulation, kind: str, tmp_path: Path
) -> None:
    alike = dict.fromkeys(morning.media, 1 / len(morning.media))
    changes = {"kind": kind, "given": {0: spec.market.start_split(), 2: alike}}
    steering = spec.status_quo.steering.model_copy(update=changes)
    world = morning.fork(spec.status_quo.model_copy(update={"steering": steering}))
    goes_on(world, tmp_path)


def test_a_change_of_spend_goes_on(morning: Simulation, tmp_path: Path) -> None:
    world = morning.fork(morning.strategy)
    world.change = np.linspace(0.5, 1.5, len(world.media))
    goes_on(world, tmp_path)


@pytest.mark.parametrize("kind", ["big_bang", "stepwise_ease", "goalless"])
def test_a_roll_out_goes_on_from_any_of_its_weeks(
    morning: Simulation, kind: Plan, tmp_path: Path
) -> None:
    target = Levels.model_validate(dict.fromkeys(DIMENSIONS, 1.0))
    words = {"integration": Integration(), "rollout": Rollout(kind=kind, target=target)}
    world = morning.fork(morning.strategy.model_copy(update=words))
    for _ in range(6):
        goes_on(world, tmp_path)
    status = world.state.links.changes["status"]
    assert (status == BUILDS).any()
    assert (status >= LIVES).any()


def goes_on(world: Simulation, folder: Path) -> None:
    world.run_to(world.state.day + 10)
    snapshot.save(world, folder / "midweek")
    resumed = snapshot.load(folder / "midweek", world.spec)
    for twin in (world, resumed):
        twin.run_to(twin.state.day + 25)
    assert everything(resumed, folder) == everything(world, folder)


def test_a_world_that_was_only_kept_is_the_same_bits_and_types(
    kept: Path, spec: ExperimentSpec, morning: Simulation, tmp_path: Path
) -> None:
    loaded = snapshot.load(kept, spec)
    assert everything(loaded, tmp_path) == everything(morning, tmp_path)
    one, other = loaded.state.people.state, morning.state.people.state
    # compiled code knows a record by its alignment, too
    assert (type(one), one.dtype) == (type(other), other.dtype)
    assert one.dtype.isalignedstruct == other.dtype.isalignedstruct
    assert loaded.replication == morning.replication


@pytest.mark.parametrize("arm", ["siloed", "central"])
def test_forks_of_a_kept_world_are_forks_of_the_live_one(
    kept: Path, spec: ExperimentSpec, morning: Simulation, arm: str
) -> None:
    forks = [each.fork(spec.arms[arm]) for each in (morning, snapshot.load(kept, spec))]
    for fork in forks:
        fork.run_to(fork.state.day + 35)
    assert digest(forks[0]) == digest(forks[1])


def test_two_worlds_of_one_file_do_not_touch_each_other(kept: Path, spec: ExperimentSpec) -> None:
    one, other = snapshot.load(kept, spec), snapshot.load(kept, spec)
    before = digest(other)
    one.run_to(one.state.day + 14)
    assert digest(other) == before != digest(one)


def test_a_first_morning_has_no_weeks_and_goes_on(tmp_path: Path) -> None:
    spec = question(*WORLD)
    world = Simulation(spec, 3)
    world.adopt(spec.status_quo)
    goes_on(world, tmp_path)
    assert world.replication == 3


def test_a_market_in_which_everything_happens_goes_on_from_every_day(tmp_path: Path) -> None:
    world = at_fork(rich())
    first = world.state.day
    for day in range(first, first + 28):
        world.run_to(day)
        snapshot.save(world, tmp_path / str(day))
    world.run_to(first + 28)
    end = everything(world, tmp_path)
    for day in range(first, first + 28):
        resumed = snapshot.load(tmp_path / str(day), world.spec)
        resumed.run_to(first + 28)
        assert everything(resumed, tmp_path) == end


def test_a_market_without_media_and_one_without_people_go_on(tmp_path: Path) -> None:
    for experiment in ("experiment=cdnow", "market=textbook"):
        spec = config.load([experiment], None)[0]
        world = Simulation(spec, 0)
        world.adopt(spec.status_quo)
        goes_on(world, tmp_path)


def test_nothing_in_a_snapshot_is_pickled(kept: Path) -> None:
    with np.load(kept, allow_pickle=False) as archive:
        assert all(archive[name].dtype != object for name in archive.files)


def test_what_may_differ_between_questions_about_one_world_may_differ(
    kept: Path, spec: ExperimentSpec, morning: Simulation
) -> None:
    other = spec.model_copy(
        update={"question": "Another?", "arms": {"central": spec.arms["central"]}}
    )
    assert digest(snapshot.load(kept, other)) == digest(morning)


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("seed=2", "seed"),
        ("market.people=61", "market"),
        ("market.rivals.attraction=0.123", "market"),
        ("steering.damping=0.4", "status_quo"),
        ("horizon.history_weeks=44", "horizon"),
    ],
)
def test_another_spec_is_refused_in_a_line_that_says_what_differs(
    kept: Path, override: str, named: str
) -> None:
    assert named in refusal(kept, question(*WORLD, override))


def test_another_version_of_the_model_is_refused(
    kept: Path, spec: ExperimentSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "model_version", lambda: "another")
    assert "another version of the model" in refusal(kept, spec)


def refusal(path: Path, spec: ExperimentSpec) -> str:
    with pytest.raises(SnapshotError) as error:
        snapshot.load(path, spec)
    told = str(error.value)
    assert isinstance(error.value, ValueError)
    assert "\n" not in told
    assert str(path) in told
    return told


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"PK\x03\x04",
        lambda content: b"no snapshot at all",
        lambda content: content[:-1],
        lambda content: content[: len(content) // 2],
        lambda content: content[100:],
    ],
)
def test_a_damaged_file_is_refused(
    kept: Path, spec: ExperimentSpec, damage: Callable[[bytes], bytes]
) -> None:
    kept.write_bytes(damage(kept.read_bytes()))
    assert "damaged or no snapshot" in refusal(kept, spec)


def test_a_flipped_byte_is_refused_or_says_nothing(
    kept: Path, spec: ExperimentSpec, morning: Simulation
) -> None:
    content = kept.read_bytes()
    places = range(0, len(content), len(content) // 150)
    refused = 0
    for place in places:
        kept.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            loaded = snapshot.load(kept, spec)
        except SnapshotError:
            refused += 1
        else:
            assert digest(loaded) == digest(morning)
    assert refused > 0.9 * len(places)


def test_archives_of_others_folders_and_missing_files_are_refused(
    spec: ExperimentSpec, tmp_path: Path
) -> None:
    np.savez(tmp_path / "others.npz", goodwill=np.zeros(3))
    np.save(tmp_path / "array.npy", np.zeros(3))
    for name in ("others.npz", "array.npy", "."):
        assert "damaged or no snapshot" in refusal(tmp_path / name, spec)
    assert "there is no snapshot" in refusal(tmp_path / "nowhere", spec)


def test_an_interrupted_save_leaves_the_last_snapshot(
    kept: Path, spec: ExperimentSpec, morning: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", full)
        with pytest.raises(Unwritable, match="No space left on device"):
            snapshot.save(morning, kept)
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]
    assert digest(snapshot.load(kept, spec)) == digest(morning)
