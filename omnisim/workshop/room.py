"""A room: who sits where, what was typed, what was lived. Pure state; time comes as `now`.

Every change is a method that either carries out the whole of it or raises `Refused`.
"""

from __future__ import annotations

import hashlib
import secrets
import statistics
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from omnisim.allocation import largest_remainder
from omnisim.workshop.bonus import bonus
from omnisim.workshop.programme import FORMS, SCENES, Form, Step, programme
from omnisim.workshop.refusal import Refused
from omnisim.workshop.roles import ACTS, MANAGER, ROUNDS, Act, Cast
from omnisim.workshop.worlds import Figures, Plan, Quarter, Report

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without those that look alike
CODE_LETTERS = 5
MOST_FIRMS = 8
LONGEST_NAME = 24
LONGEST_ROUND = 3600  # seconds
MOST_CLAIMED = 1000  # of 100 orders, as a guess
DEAREST = 100_000  # EUR for an order, as a guess


@dataclass
class Seat:
    """One role of one firm: who sits there, if anybody; the computer plays where nobody does."""

    name: str = ""
    token: str = ""  # only its hash
    heard: int = 0  # number of the last message that counted

    @property
    def is_taken(self) -> bool:
        """Tell whether somebody sits here."""
        return bool(self.token)


@dataclass
class Guess:
    """A prediction before the reveal: claimed of 100 real orders, and own marginal CPOs (EUR)."""

    claims: int
    costs: dict[str, int] = field(default_factory=dict)


@dataclass
class Played:
    """A quarter that a firm has lived, who decided in it, and what that earned each role."""

    kind: str
    act: Act
    nth: int
    attempt: int
    firm: int
    plan: Plan
    report: dict[str, Any]
    by: dict[str, str]
    bonus: dict[str, int]
    weight: float
    undone: bool = False

    @property
    def books(self) -> Report:
        """Return the quarter's books."""
        return Report(**self.report)


@dataclass
class Room:
    """A workshop under way. `version` grows with every change."""

    code: str
    cast: Cast
    opening: list[Quarter]
    form: Form = "short"
    firms: int = 1
    practice: bool = False
    version: int = 1
    step: int = 0
    phase: str = "open"  # of a played step: open, running, told
    attempt: int = 1
    scene: int = 0
    seconds: int = 0  # for a round; 0: no clock
    deadline: float | None = None
    left: float | None = None  # seconds that were left when the clock was stopped
    paused: bool = False
    seats: dict[str, Seat] = field(default_factory=dict)
    sheets: list[Plan] = field(default_factory=list)  # what was typed in this round, by firm
    sent: list[str] = field(default_factory=list)  # seats that have decided in this round
    asked: dict[str, Plan] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    guesses: dict[str, Guess] = field(default_factory=dict)
    played: list[Played] = field(default_factory=list)
    tests: dict[str, Any] = field(default_factory=dict)
    effects: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for firm in range(self.firms):
            for role in self.cast.roles:
                self.seats.setdefault(seat_key(firm, role), Seat())
        if not self.sheets:
            self.sheets = [{} for _ in range(self.firms)]

    # -- where we are -------------------------------------------------------------------

    @property
    def programme(self) -> tuple[Step, ...]:
        """Return all steps."""
        return programme(self.form, self.practice)

    @property
    def place(self) -> str:
        """Return where we are: a message that was meant for elsewhere names another place."""
        return f"{self.step} {self.attempt}"

    @property
    def now(self) -> Step:
        """Return the present step."""
        return self.programme[self.step]

    def lived(self, firm: int, act: Act) -> list[Played]:
        """Return the quarters of an act that count, in their order."""
        rows = [row for row in self.played if (row.firm, row.act) == (firm, act)]
        return [row for row in rows if row.kind == "round" and not row.undone]

    def plans(self, firm: int) -> list[Plan]:
        """Return the plans of the present act so far."""
        return [row.plan for row in self.lived(firm, self.now.act)]

    def standing(self, firm: int) -> Plan:
        """Return the plan that holds where nobody decides anew: last quarter's."""
        plans = self.plans(firm)
        return plans[-1] if plans else self.opening[-1].plan

    def weight(self, firm: int) -> float:
        """Return what a team is paid on (lambda): what its median vote says, in the third act."""
        votes = [self.weights[key] for key in self._of(firm) if key in self.weights]
        return statistics.median(votes) if votes and self.now.act == "together" else 0.0

    def limit(self, firm: int, role: str) -> int:
        """Return what a role may spend on its media in the present round (EUR).

        A department its own budget in the first act; in the second the manager all of it;
        in the third what the others have not planned. What a role may ask for is all there is.
        """
        act, owned = self.now.act, self.cast.owned(role)
        if act == "silo":
            return sum(self.opening[-1].plan[name] for name in owned)
        if act == "together":
            planned = self._planned(firm)
            return self.cast.quarter - sum(planned.values()) + self._sum(planned, owned)
        return self.cast.quarter

    def _planned(self, firm: int) -> Plan:
        """Return what people plan so far: what they typed, and what those keep who have not."""
        kept = self._kept(firm)
        return self._fitting(firm, kept) | self.sheets[firm]

    def _kept(self, firm: int) -> Plan:
        """Return last quarter's plan of media whose head is a person who has typed nothing."""
        standing, act = self.standing(firm), self.now.act
        heads = [
            role
            for role in self.cast.roles
            if self.cast.decides(act, role)
            and self.seats[seat_key(firm, role)].is_taken
            and (act == "central" or role != MANAGER)
        ]
        names = {name for role in heads for name in self.cast.owned(role)}
        return {name: standing[name] for name in sorted(names - set(self.sheets[firm]))}

    def _fitting(self, firm: int, kept: Plan) -> Plan:
        """Return what is kept, less where the budget is typed away already."""
        left = max(0, self.cast.quarter - sum(self.sheets[firm].values()))
        if sum(kept.values()) <= left:
            return kept
        cents = largest_remainder(left, [float(euros) for euros in kept.values()])
        return dict(zip(kept, cents.tolist(), strict=True))

    @staticmethod
    def _sum(plan: Mapping[str, int], media: Sequence[str]) -> int:
        return sum(plan.get(name, 0) for name in media)

    def _of(self, firm: int) -> list[str]:
        return [seat_key(firm, role) for role in self.cast.roles]

    # -- seats --------------------------------------------------------------------------

    def join(self, firm: int, role: str, name: str) -> str:
        """Give a free seat to somebody and return the token that opens it."""
        seat = self._seat(firm, role)
        if seat.is_taken:
            raise Refused("seat_taken")
        seat.name, token = shown_name(name), secrets.token_urlsafe(18)
        seat.token, seat.heard = hashed(token), 0
        self._changed()
        return token

    def seat_of(self, token: str) -> tuple[int, str] | None:
        """Return whose seat a token opens, or None."""
        digest = hashed(token)
        for key, seat in self.seats.items():
            if seat.is_taken and secrets.compare_digest(seat.token, digest):
                return parted(key)
        return None

    def free(self, firm: int, role: str) -> None:
        """Hand a seat to the computer; whoever comes next may take it with all that it has."""
        seat = self._seat(firm, role)
        seat.name = seat.token = ""
        seat.heard = 0
        self._changed()

    def _seat(self, firm: int, role: str) -> Seat:
        key = seat_key(firm, role)
        if key not in self.seats:
            raise Refused("no_such_seat", 404)
        return self.seats[key]

    def hear(self, firm: int, role: str, number: int) -> bool:
        """Tell whether a numbered message is news: replayed and overtaken ones are not."""
        seat = self._seat(firm, role)
        if number <= seat.heard:
            return False
        seat.heard = number
        return True

    # -- what people decide -------------------------------------------------------------

    def decide(
        self, firm: int, role: str, amounts: Mapping[str, int], now: float, led: bool = False
    ) -> None:
        """Take down what a role spends on its media in this round (EUR each)."""
        self._must_be_open(now, led)
        if not self.cast.decides(self.now.act, role):
            raise Refused("not_yours_to_decide", 403)
        self._within(firm, role, amounts)
        self.sheets[firm] |= amounts
        self._mark(firm, role)

    def ask(
        self, firm: int, role: str, amounts: Mapping[str, int], now: float, led: bool = False
    ) -> None:
        """Take down what a department asks the manager for."""
        self._must_be_open(now, led)
        if not self.cast.asks(self.now.act, role):
            raise Refused("not_yours_to_decide", 403)
        self._within(firm, role, amounts)
        self.asked[seat_key(firm, role)] = dict(amounts)
        self._mark(firm, role)

    def weigh(self, firm: int, role: str, weight: float, now: float, led: bool = False) -> None:
        """Take down how far a role wants the team to be paid on the company's result."""
        self._must_be_open(now, led)
        if self.now.act != "together":
            raise Refused("not_yours_to_decide", 403)
        self.weights[seat_key(firm, role)] = weight
        self._changed()

    def guess(self, firm: int, role: str, guess: Guess) -> None:
        """Take down a prediction; after the reveal has begun it is too late."""
        self._seat(firm, role)
        if self.now.kind != "guess":
            raise Refused("not_now")
        if set(guess.costs) - set(self.cast.owned(role)):
            raise Refused("not_your_media", 403)
        self.guesses[seat_key(firm, role)] = guess
        self._changed()

    def _within(self, firm: int, role: str, amounts: Mapping[str, int]) -> None:
        self._seat(firm, role)
        if set(amounts) != set(self.cast.owned(role)):
            raise Refused("not_your_media", 403)
        limit = self.limit(firm, role)
        if sum(amounts.values()) > limit:
            raise Refused("over_budget", limit=limit)

    def _mark(self, firm: int, role: str) -> None:
        key = seat_key(firm, role)
        self.sent = [*(other for other in self.sent if other != key), key]
        self._changed()

    def _must_be_open(self, now: float, led: bool) -> None:
        if not self.now.is_played or self.phase != "open":
            raise Refused("not_now")
        if led:
            return
        if self.paused:
            raise Refused("paused")
        if self.deadline is not None and now > self.deadline:
            raise Refused("too_late")

    # -- what the trainer does ----------------------------------------------------------

    def next(self, now: float) -> None:
        """Go on: to the next step, or to the next scene of the reveal."""
        if self.now.is_played and self.phase != "told" and self.now.kind != "practice":
            raise Refused("quarter_first")
        if self.phase == "running":
            raise Refused("running")
        if self.now.kind == "reveal":
            if self.scene + 1 >= len(SCENES):
                raise Refused("at_the_end")
            self.scene += 1
            self._changed()
            return
        self._go(self.step + 1, now)

    def show(self, scene: int) -> None:
        """Show a scene of the reveal."""
        if self.now.kind != "reveal" or not 0 <= scene < len(SCENES):
            raise Refused("not_now")
        self.scene = scene
        self._changed()

    def rewind(self, act: Act, nth: int, now: float) -> None:
        """Go back to a round that was lived: it and all after it no longer count."""
        if self.phase == "running":
            raise Refused("running")
        target = Step("round", act, nth)
        if target not in self.programme[: self.step + 1] or not any(
            (row.act, row.nth) == (act, nth) for row in self.played if not row.undone
        ):
            raise Refused("nothing_to_rewind")
        step = self.programme.index(target)
        gone = {(after.act, after.nth) for after in self.programme[step:] if after.kind == "round"}
        for row in self.played:
            if row.kind == "round" and (row.act, row.nth) in gone:
                row.undone = True
        acts = {act for act, _ in gone}
        self.effects = {
            key: told for key, told in self.effects.items() if key.split()[0] not in acts
        }
        stays = nth if act == "together" else 0
        self.tests = {key: told for key, told in self.tests.items() if int(key.split()[1]) <= stays}
        self.attempt += 1
        self._go(step, now)

    def _go(self, step: int, now: float) -> None:
        self.step, self.phase, self.scene = step, "open", 0
        self.sheets = [{} for _ in range(self.firms)]
        self.sent, self.asked, self.paused, self.left = [], {}, False, None
        self.set_clock(self.seconds, now)

    def set_clock(self, seconds: int, now: float) -> None:
        """Set the seconds of a round (0: none) and start the clock anew."""
        self.seconds = seconds
        runs = seconds > 0 and self.now.is_played and self.phase == "open"
        self.deadline = now + seconds if runs else None
        self.left = None
        self._changed()

    def pause(self, now: float) -> None:
        """Stop the clock; nothing is accepted meanwhile."""
        if self.paused:
            return
        self.paused = True
        if self.deadline is not None:
            self.left, self.deadline = max(0.0, self.deadline - now), None
        self._changed()

    def resume(self, now: float) -> None:
        """Let the clock run on."""
        self.paused = False
        if self.left is not None:
            self.deadline, self.left = now + self.left, None
        self._changed()

    # -- a quarter is lived -------------------------------------------------------------

    def close(self) -> None:
        """Accept no more decisions: the quarter is about to be lived."""
        if not self.now.is_played or self.phase != "open":
            raise Refused("not_now")
        self.phase, self.paused, self.deadline, self.left = "running", False, None, None
        self._changed()

    def reopen(self) -> None:
        """Take back the close: the quarter could not be lived."""
        if self.phase == "running":
            self.phase = "open"
            self._changed()

    def typed(self, firm: int) -> Plan:
        """Return what people have decided for the quarter; all else is the computer's."""
        return self._planned(firm)

    def asked_of(self, firm: int) -> tuple[Act, list[Plan], Plan, tuple[Figures, Figures] | None]:
        """Return what a firm's quarter is asked for: `Worlds.quarter` has the words."""
        plans = self.plans(firm)
        tests = self.tests.get(test_key(firm, plans))
        known = (tests["cost"], tests["orders"]) if tests else None
        return self.now.act, plans, self.typed(firm), known

    def book(self, lived: Sequence[Quarter]) -> None:
        """Book the quarter of every firm and tell it."""
        if self.phase != "running":
            raise Refused("not_now")
        for firm, quarter in enumerate(lived):
            self.played.append(self._row(firm, quarter))
        self.phase = "told"
        self._changed()

    def _row(self, firm: int, quarter: Quarter) -> Played:
        step, weight = self.now, self.weight(firm)
        before = self.opening[step.nth % len(self.opening)].report
        return Played(
            kind=step.kind,
            act=step.act,
            nth=step.nth,
            attempt=self.attempt,
            firm=firm,
            plan=quarter.plan,
            report=asdict(quarter.report),
            by={role: self._who(firm, role) for role in self.cast.roles},
            bonus={
                role: bonus(self.cast, role, quarter.report, before, weight)
                for role in self.cast.roles
            },
            weight=weight,
        )

    def _who(self, firm: int, role: str) -> str:
        """Return who decided for a role: a person, or the computer."""
        key = seat_key(firm, role)
        if not self.cast.decides(self.now.act, role):
            return ""
        return "person" if key in self.sent or self.seats[key].is_taken else "computer"

    def is_act_over(self, act: Act, firm: int) -> bool:
        """Tell whether all rounds of an act are lived."""
        return len(self.lived(firm, act)) == ROUNDS

    def untested(self) -> list[tuple[int, list[Plan]]]:
        """Return the firms, with their plans, that lack tests of their last quarter."""
        if self.now.act != "together" or self.now.kind != "round" or self.phase == "running":
            return []
        firms = [(firm, self.plans(firm)) for firm in range(self.firms)]
        return [(firm, plans) for firm, plans in firms if test_key(firm, plans) not in self.tests]

    def learn(self, firm: int, plans: Sequence[Plan], cost: Figures, orders: Figures) -> None:
        """Keep what a fifth more on each medium has shown in a firm's last quarter."""
        self.tests[test_key(firm, plans)] = {"cost": cost, "orders": orders}
        self._changed()

    def unexplained(self) -> list[tuple[Act, int, list[Plan]]]:
        """Return the acts that are over, with their plans, of which effects are not known."""
        return [
            (act, firm, [row.plan for row in self.lived(firm, act)])
            for act in ACTS
            for firm in range(self.firms)
            if self.is_act_over(act, firm) and f"{act} {firm}" not in self.effects
        ]

    def learn_effects(self, act: Act, firm: int, effects: Mapping[str, Any]) -> None:
        """Keep what money has caused in an act."""
        self.effects[f"{act} {firm}"] = dict(effects)
        self._changed()

    def _changed(self) -> None:
        self.version += 1


def seat_key(firm: int, role: str) -> str:
    """Return the key of a seat."""
    return f"{firm} {role}"


def test_key(firm: int, plans: Sequence[Plan]) -> str:
    """Return the key of a firm's tests after some quarters of the third act."""
    return f"{firm} {len(plans)}"


def parted(key: str) -> tuple[int, str]:
    """Return firm and role of a seat's key."""
    firm, _, role = key.partition(" ")
    return int(firm), role


def hashed(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_code(taken: Sequence[str] = ()) -> str:
    """Return a room's code that nobody guesses at once."""
    while True:
        code = "".join(secrets.choice(LETTERS) for _ in range(CODE_LETTERS))
        if code not in taken:
            return code


def shown_name(name: str) -> str:
    """Return a name as it may stand on a screen; raise Refused if nothing is left of it."""
    kept = "".join(c for c in name if unicodedata.category(c)[0] not in "CZ" or c == " ")
    kept = " ".join(kept.split())[:LONGEST_NAME].strip()
    if not kept:
        raise Refused("no_name", 422)
    return kept


def opened(
    cast: Cast,
    opening: list[Quarter],
    form: Form,
    firms: int,
    practice: bool,
    taken: Sequence[str] = (),
) -> Room:
    """Return a new room."""
    if form not in FORMS or not 1 <= firms <= MOST_FIRMS:
        raise Refused("bad_message", 422)
    return Room(new_code(taken), cast, opening, form, firms, practice)


def as_words(room: Room) -> dict[str, Any]:
    """Return a room as plain words for a file."""
    return asdict(room)


def from_words(words: Mapping[str, Any]) -> Room:
    """Return the room of a file; raise KeyError, TypeError or ValueError if it is none."""
    told = dict(words)
    told["cast"] = Cast(
        {role: tuple(owned) for role, owned in told["cast"]["departments"].items()},
        told["cast"]["quarter"],
    )
    told["opening"] = [
        Quarter(quarter["plan"], Report(**quarter["report"])) for quarter in told["opening"]
    ]
    told["seats"] = {key: Seat(**seat) for key, seat in told["seats"].items()}
    told["guesses"] = {key: Guess(**guess) for key, guess in told["guesses"].items()}
    told["played"] = [Played(**row) for row in told["played"]]
    return Room(**told)
