"""The price of silos: what each of their errors costs, and what to do first."""

from omnisim.silos.game import Game, Outcome, outcome
from omnisim.silos.lessons import Lesson, lessons
from omnisim.silos.moves import arms as first_moves
from omnisim.silos.page import page_one
from omnisim.silos.pay import departments
from omnisim.silos.plan import Plan, Priced, plan

__all__ = [
    "Game",
    "Lesson",
    "Outcome",
    "Plan",
    "Priced",
    "departments",
    "first_moves",
    "lessons",
    "outcome",
    "page_one",
    "plan",
]
