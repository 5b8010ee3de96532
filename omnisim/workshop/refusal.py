"""Refusals: what was asked of a room and is not done, as a word that pages translate."""

from __future__ import annotations


class Refused(Exception):
    """A message that changes nothing: why, as a key of the texts, and details to fill in."""

    def __init__(self, why: str, status: int = 409, **details: object) -> None:
        super().__init__(why)
        self.why = why
        self.status = status
        self.details = details
