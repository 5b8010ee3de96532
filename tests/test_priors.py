"""Every number marked [A] has a prior range, and lies inside it."""

from __future__ import annotations

import runpy
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from omnisim import config, priors
from omnisim.spec import Market

ROOT = Path(__file__).parents[1]
COMMENTS = runpy.run_path(str(ROOT / "docs" / "parameters.py"))["comments"]
MARKETS = sorted((ROOT / "configs" / "market").glob("*.yaml"))
DECIDED = sorted(
    path
    for group in ("organigram", "rollout", "trying", "incentives", "steering", "attribution")
    for path in (ROOT / "configs" / group).glob("*.yaml")
)
SOME = {"fashion_home_de", "b2b_supplier", "service_provider"}


@cache
def assumed(path: Path, above: str = "") -> dict[str, float]:
    """Return every number whose line, or that of what it belongs to, is marked [A].

    Benchmarks are ranges themselves and change nothing.
    """
    document = yaml.safe_load(path.read_text())
    found: dict[str, float] = {}
    for key, text in COMMENTS(path).items():
        if "[A" in text and "benchmarks" not in key:
            inner = _below(document, key)
            found |= dict(priors.numbers(inner, ".".join((*filter(None, [above]), *key))))
    return {key: value for key, value in found.items() if ".benchmarks." not in key}


def _below(document: Any, key: tuple[str, ...]) -> Any:
    for name in key:
        document = document[int(name)] if isinstance(document, list) else document[name]
    return document


def test_marks_are_found() -> None:
    counts = {path.stem: len(assumed(path)) for path in MARKETS}
    assert {name for name, count in counts.items() if count > 100} == SOME
    told = yaml.safe_load((ROOT / "configs" / "market" / "fashion_home_de.yaml").read_text())
    found = assumed(ROOT / "configs" / "market" / "fashion_home_de.yaml")
    assert found["market.attention"] == told["market"]["attention"]
    assert "market.segments.online_first.prefers.buy.web" in found
    assert "market.vat" not in found


@pytest.mark.parametrize("path", MARKETS, ids=lambda path: path.stem)
def test_every_assumption_of_a_market_has_a_prior_and_lies_inside_it(path: Path) -> None:
    for key, value in assumed(path).items():
        prior = priors.prior(key, value, path.stem)
        assert prior.holds(value), key
        assert prior.low < prior.high or prior.distribution == "fixed" or value == 0, key


@pytest.mark.parametrize("path", DECIDED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_assumption_about_the_firm_has_a_prior_and_lies_inside_it(path: Path) -> None:
    for key, value in assumed(path, path.parent.name).items():
        assert priors.prior(key, value, "").holds(value), key


def test_the_default_question_lies_inside_what_is_said_of_organisations() -> None:
    spec, _ = config.load()
    told = spec.status_quo.model_dump(mode="json")
    said = [pattern for section, pattern in priors.patterns() if section == priors.ORGANISATION]
    for key, value in priors.numbers(told):
        if key in said:
            assert priors.prior(key, value, "").holds(value), key


def test_ends_of_a_range_are_values_that_the_market_can_have() -> None:
    spec, _ = config.load()
    assert isinstance(spec.market, Market)
    whole = {"market": spec.market.model_dump()}
    for key, value in assumed(ROOT / "configs" / "market" / "fashion_home_de.yaml").items():
        prior = priors.prior(key, value, "fashion_home_de")
        if prior.distribution in ("dirichlet", "fixed") or not _is_there(whole, key):
            continue
        for end in (prior.low, prior.high):
            Market.model_validate(_with(whole, key.split("."), _like(value, end))["market"])


def _is_there(document: Mapping[str, Any], key: str) -> bool:
    return key in dict(priors.numbers(document))


def _like(value: float, end: float) -> float:
    return int(end) if value.is_integer() and end == int(end) else end


def _with(document: Any, way: list[str], value: float) -> Any:
    if not way:
        return value
    if isinstance(document, list | tuple):
        nth = int(way[0])
        changed = [*document]
        changed[nth] = _with(document[nth], way[1:], value)
        return changed
    return {**document, way[0]: _with(document[way[0]], way[1:], value)}


def test_no_line_is_left_over() -> None:
    used: set[tuple[str, str]] = set()
    for path in MARKETS:
        for key, _ in assumed(path).items():
            used |= set(_lines_that_fit(key, path.stem))
    spec, _ = config.load()
    for key, _ in priors.numbers({"market": spec.market.model_dump(mode="json")}):
        used |= set(_lines_that_fit(key, "fashion_home_de"))
    left = {line for line in priors.patterns() if line[0] != priors.ORGANISATION} - used
    assert not left


def _lines_that_fit(key: str, market: str) -> Iterator[tuple[str, str]]:
    for section, pattern in priors.patterns():
        if section in (market, priors.ANY) and priors.fits(pattern, key):
            yield section, pattern


def test_a_prior_is_read_from_its_low_to_its_high_end() -> None:
    even = priors.Prior(1.0, 3.0, "uniform")
    assert [even.at(part) for part in (0, 0.5, 1)] == [1.0, 2.0, 3.0]
    assert priors.Prior(1.0, 100.0, "loguniform").at(0.5) == pytest.approx(10.0)
    assert priors.Prior(1, 4, "whole").at(0.4) == 2.0


def test_a_key_without_a_prior_is_refused() -> None:
    with pytest.raises(config.ConfigError, match=r"market.nothing: found no prior"):
        priors.prior("market.nothing", 1.0, "fashion_home_de")
