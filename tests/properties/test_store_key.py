"""The key of a kept replication: all that can change a number, and nothing else."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from omnisim import config, sources
from omnisim.spec import ExperimentSpec
from omnisim.store import Store

Place = tuple[str | int, ...]
ARM = "siloed"
WORDS_ONLY = {
    *("experiment", "question", "hypothesis", "decision_rule", "expectation"),
    *("baseline", "replications", "outcomes"),
}


@cache
def asked() -> ExperimentSpec:
    return config.load(["horizon.weeks=13", "steering.fixed=[tv, email]"], None)[0]


def key(spec: ExperimentSpec, arm: str = ARM, replication: int = 0, model: str = "m") -> str:
    """Return the name of the file in which a replication would be kept."""
    store = Store(Path(), model)
    return store._path(store._asked(spec, arm, replication)).name


def leaves(words: object, path: Place = ()) -> Iterator[Place]:
    """Yield where every single word of a spec stands."""
    if isinstance(words, BaseModel):
        for name in type(words).model_fields:
            yield from leaves(getattr(words, name), (*path, name))
    elif isinstance(words, dict):
        for name, inner in words.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(words, tuple):
        for index, inner in enumerate(words):
            yield from leaves(inner, (*path, index))
    else:
        yield path


def at(words: Any, path: Place) -> Any:
    """Return what stands at a place."""
    for name in path:
        words = getattr(words, str(name)) if isinstance(words, BaseModel) else words[name]
    return words


def changed(words: Any, path: Place, value: object) -> Any:
    """Return words with another value at a place, as sound or unsound as it may be."""
    if not path:
        return value
    inner = changed(at(words, path[:1]), path[1:], value)
    if isinstance(words, BaseModel):
        return words.model_copy(update={str(path[0]): inner})
    if isinstance(words, tuple):
        return (*words[: int(path[0])], inner, *words[int(path[0]) + 1 :])
    return words | {path[0]: inner}


def other_values(words: Any, path: Place) -> st.SearchStrategy[Any]:
    """Return values of the same kind as the one at a place."""
    value, home = at(words, path), at(words, path[:-1])
    of_models = isinstance(home, BaseModel)
    annotation = type(home).model_fields[str(path[-1])].annotation if of_models else None
    if get_origin(annotation) is Literal:
        return st.sampled_from(get_args(annotation))
    if isinstance(value, bool):
        return st.booleans()
    if isinstance(value, str) or (value is None and "str" in str(annotation)):
        return st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
    if isinstance(value, int) or value is None:
        return st.integers(0, 2**63 - 1)
    return st.floats(allow_nan=False, allow_infinity=False)


def determines(path: Place) -> bool:
    """Tell whether the word at a place can change a number of the arm asked for."""
    match path:
        case ("arms", arm, *_):
            return arm == ARM
        case ("market", "name" | "start", *_):
            return False
        case ("market", "media", _, "serves", *_) | ("market", _, _, "benchmarks", *_):
            return False
        case ("market", "splits", start, *_):
            return start == asked().market.start
        case ("truth",):
            return False  # so short an arm has none
    return path[0] not in WORDS_ONLY


@settings(max_examples=400)
@given(st.data())
def test_the_key_changes_with_every_word_that_can_change_a_number_and_with_no_other(
    data: st.DataObject,
) -> None:
    spec = asked()
    path = data.draw(st.sampled_from([p for p in leaves(spec) if p != ("market", "start")]))
    value = data.draw(other_values(spec, path))
    assume(value != at(spec, path))
    assert (key(changed(spec, path, value)) != key(spec)) == determines(path)


def test_the_walk_reaches_every_part_of_a_spec() -> None:
    found = set(leaves(asked()))
    assert {path[0] for path in found} == set(ExperimentSpec.model_fields)
    assert {path[1] for path in found if path[0] == "market"} >= {"media", "channels", "buying"}
    assert {path[2] for path in found if path[:2] == ("arms", ARM)} == set(
        type(asked().arms[ARM]).model_fields
    )
    assert len(found) > 300
    silent = {path[3] for path in found if path[1:2] in (("media",), ("channels",))}
    assert silent >= {"serves", "benchmarks"}


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_every_replication_has_its_own_key(one: int, other: int) -> None:
    assert (key(asked(), ARM, one) == key(asked(), ARM, other)) == (one == other)


@given(st.text("abcdef0123456789", max_size=16), st.text("abcdef0123456789", max_size=16))
def test_every_version_of_the_model_has_its_own_key(one: str, other: str) -> None:
    assert (key(asked(), model=one) == key(asked(), model=other)) == (one == other)


def test_the_version_changes_with_every_source_library_and_machine_that_computes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = {sources.model_version()}
    for name in sources.MODEL:
        with monkeypatch.context() as patch:
            edited_source(patch, f"{name}.py")
            found.add(sources.model_version())
    for name in sources.LIBRARIES:
        with monkeypatch.context() as patch:
            patch.setattr(metadata, "version", lambda one, name=name: str(one == name))
            found.add(sources.model_version())
    for what in ("machine", "python_version"):
        with monkeypatch.context() as patch:
            patch.setattr(platform, what, lambda: "another")
            found.add(sources.model_version())
    assert len(found) == 1 + len(sources.MODEL) + len(sources.LIBRARIES) + 2


def test_the_version_knows_every_source_that_a_simulation_imports() -> None:
    script = "import sys, omnisim.simulation; print(*(m for m in sys.modules if 'omnisim.' in m))"
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    imported = {name.removeprefix("omnisim.").replace(".", "/") for name in told.stdout.split()}
    packages = {name for name in imported if any(f"{name}/" in other for other in imported)}
    assert imported - packages - {"sources"} == set(sources.MODEL)


def edited_source(patch: pytest.MonkeyPatch, name: str) -> None:
    read = Path.read_bytes

    def edited(path: Path) -> bytes:
        return read(path) + b"# edited" * path.as_posix().endswith(f"omnisim/{name}")

    patch.setattr(Path, "read_bytes", edited)


@given(st.randoms(use_true_random=False))
def test_the_order_of_listing_does_not_change_the_key(shuffler: Any) -> None:
    def shuffled(words: Any, name: str = "") -> Any:
        if isinstance(words, dict):
            inner = [(k, shuffled(v, k)) for k, v in words.items()]
            shuffler.shuffle(inner)
            return dict(inner)
        if name in ("owns", "fixed"):
            return shuffler.sample(words, len(words))
        return words

    listed = ExperimentSpec.model_validate(shuffled(asked().model_dump()))
    assert key(listed) == key(asked())


@given(st.data())
def test_a_number_written_as_1_or_as_1_0_does_not_change_the_key(data: st.DataObject) -> None:
    words = asked().model_dump()
    whole = [
        path
        for path in leaves(words)
        if isinstance(value := at(words, path), int | float)
        and not isinstance(value, bool)
        and float(value).is_integer()
    ]
    for path in data.draw(st.lists(st.sampled_from(whole), min_size=1, max_size=20)):
        value = at(words, path)
        words = changed(words, path, int(value) if isinstance(value, float) else float(value))
    assert key(ExperimentSpec.model_validate(words)) == key(asked())


def test_the_split_of_the_start_counts_and_not_its_name() -> None:
    spec = asked()
    market = spec.market.model_copy(
        update={"start": "renamed", "splits": {"renamed": spec.market.start_split()}}
    )
    assert key(spec.model_copy(update={"market": market})) == key(spec)
    elsewhere = spec.market.model_copy(update={"start": "equal"})
    assert key(spec.model_copy(update={"market": elsewhere})) != key(spec)


def test_how_deep_the_truth_is_measured_counts_where_it_is_measured() -> None:
    spec = asked().model_copy(update={"horizon": asked().horizon.model_copy(update={"weeks": 104})})
    deep = spec.model_copy(update={"truth": "full"})
    assert key(deep) != key(spec)
    assert key(deep, ARM, 1000) == key(spec, ARM, 1000)


def test_arms_that_decide_alike_share_what_is_kept() -> None:
    spec = asked()
    twins = spec.model_copy(update={"arms": spec.arms | {"twin": spec.arms[ARM]}})
    assert key(twins, "twin") == key(spec, ARM) != key(spec, "central")
