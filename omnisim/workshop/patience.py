"""Patience: how long to wait after wrong codes, and how many messages are too many."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from omnisim.workshop.refusal import Refused

FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0  # seconds
REMEMBERED = 2_000  # senders


@dataclass
class _Sender:
    wrong: int = 0
    until: float = 0.0
    drops: float = 0.0
    since: float = 0.0


class Patience:
    """Who may try again when, by sender: an address, or a seat."""

    def __init__(self, burst: float = 30.0, per_second: float = 8.0) -> None:
        self.burst, self.per_second = burst, per_second
        self._senders: OrderedDict[str, _Sender] = OrderedDict()

    def admit(self, sender: str, now: float) -> None:
        """Raise Refused for who tried a wrong code a short while ago."""
        left = self._of(sender).until - now
        if left > 0:
            raise Refused("wait", 429, seconds=round(left + 0.5))

    def blame(self, sender: str, now: float) -> None:
        """Let who tried a wrong code wait, each time twice as long."""
        who = self._of(sender)
        who.until = now + min(LONGEST_WAIT, FIRST_WAIT * 2**who.wrong)
        who.wrong = min(who.wrong + 1, 20)

    def forgive(self, sender: str) -> None:
        """Forget the wrong codes of somebody who knows the right one."""
        self._of(sender).wrong = 0

    def count(self, sender: str, now: float) -> None:
        """Raise Refused for who sends too much: a bucket that leaks."""
        who = self._of(sender)
        who.drops = max(0.0, who.drops - (now - who.since) * self.per_second)
        who.since = now
        if who.drops >= self.burst:
            raise Refused("too_many", 429)
        who.drops += 1

    def _of(self, sender: str) -> _Sender:
        who = self._senders.pop(sender, None) or _Sender()
        self._senders[sender] = who
        if len(self._senders) > REMEMBERED:
            self._senders.popitem(last=False)
        return who
