"""Texts: every word on the workshop's pages, by nested keys, from the catalogues."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import yaml

from omnisim.language import language

LANGUAGES = ("en", "de")  # the first one is spoken to those who ask for neither
PAGES = "workshop"  # where messages of these pages begin


@functools.cache
def english() -> dict[str, Any]:
    """Return all texts as they are written."""
    source = files("omnisim.workshop") / "texts.yaml"
    told: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
    return told


@functools.cache
def texts(code: str) -> dict[str, Any]:
    """Return all texts in a language."""
    return _said(english(), code, PAGES)


def _said(told: Mapping[str, Any], code: str, place: str) -> dict[str, Any]:
    return {
        key: _said(value, code, f"{place}.{key}")
        if isinstance(value, Mapping)
        else language(code).at(f"{place}.{key}", value)
        for key, value in told.items()
    }


def messages(told: Mapping[str, Any], place: str = PAGES) -> Iterator[tuple[str, str]]:
    """Yield every text with its place."""
    for key, value in told.items():
        if isinstance(value, Mapping):
            yield from messages(value, f"{place}.{key}")
        else:
            yield f"{place}.{key}", value


def preferred(accepted: str) -> str:
    """Return the language that a browser asks for (its header Accept-Language), else English."""
    for part in accepted.lower().split(","):
        code = part.strip()[:2]
        if code in LANGUAGES:
            return code
    return LANGUAGES[0]
