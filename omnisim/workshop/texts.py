"""Texts: every word on the workshop's pages, in English and German."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import yaml

LANGUAGES = ("en", "de")


@functools.cache
def texts(language: str) -> dict[str, Any]:
    """Return all texts of a language, by nested keys."""
    source = files("omnisim.workshop") / "texts" / f"{language}.yaml"
    told: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
    return told


def keys(told: Mapping[str, Any], way: str = "") -> Iterator[str]:
    """Yield the full key of every text."""
    for key, value in told.items():
        if isinstance(value, Mapping):
            yield from keys(value, f"{way}{key}.")
        else:
            yield f"{way}{key}"


def preferred(accepted: str) -> str:
    """Return the language that a browser asks for (its header Accept-Language), else English."""
    for part in accepted.lower().split(","):
        language = part.strip()[:2]
        if language in LANGUAGES:
            return language
    return LANGUAGES[0]
