"""Lessons: what forks teach about the credit of a medium, beside what it causes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from omnisim.records import Records
from omnisim.spec import WEEKS_IN_YEAR, Calibration

TRIED = 2.0  # times today's plan: the most that trials tell of
NEGLIGIBLE = 0.01  # of the credit: a smaller error is none
FLATTEST = 0.02  # elasticity of credit below which nothing can be read from it
MOST = 20.0  # times that credit can be too small
STEEPEST = 1.0  # elasticity; more money never pays better than the money before it


@dataclass(frozen=True)
class Lesson:
    """What is wrong with the credit of one medium, as a power of its spend.

    Per credited order: `captured` orders that would come anyway, `spilt` orders that it
    causes and others are credited with, and `unseen` orders that it causes and nobody is
    credited with, or only after the reports (counted in orders of usual margin, over 52
    weeks). `told` and `caused` are the elasticities of what is credited and of what is
    caused; `at` the EUR a week at which all this was read.
    """

    captured: float
    spilt: float
    unseen: float
    told: float
    caused: float
    at: float

    def mended(self, capture: bool, spill_over: bool, rest: bool) -> Calibration:
        """Return the calibration that takes some of the errors out of the credit."""
        wrong = self.captured + self.spilt + self.unseen
        right = self.captured * capture + self.spilt * spill_over + self.unseen * rest
        factor = 1 - self.captured * capture + self.spilt * spill_over + self.unseen * rest
        slope = (self.caused - self.told) * right / wrong if wrong > 0 else 0.0
        return Calibration(factor=factor, slope=slope, at=self.at)


def lessons(books: Iterable[Records], arm: str) -> dict[str, Lesson]:
    """Return the lesson of every medium, from the truth of all replications of an arm.

    Media whose credit does not answer to money teach nothing, and are left out.
    """
    measured = [book.truth for book in books if book.arm == arm and len(book.truth)]
    if not measured:
        return {}
    rows = pd.concat(measured)
    off = rows[(rows["kind"] == "company") & (rows["factor"] == 0)]
    if not len(off) or off["orders_long"].sum() >= 0:  # nothing is caused
        return {}
    margin = float(off["margin_long"].sum() / off["orders_long"].sum())
    media = rows[rows["kind"] == "medium"]
    found = {
        str(name): _lesson(own.groupby("factor").mean(numeric_only=True), margin)
        for name, own in media.groupby("channel", sort=True)
    }
    return {name: lesson for name, lesson in found.items() if lesson is not None}


def _lesson(own: pd.DataFrame, margin: float) -> Lesson | None:
    """Return the lesson of a medium whose trials stand under their factors, 0 among them."""
    columns = ("credit", "others_long", "margin_long", "spend_year")
    off = own.loc[own.index == 0.0, list(columns)].to_numpy(float)
    if not len(off):
        return None
    credited, others, caused = (off[0, :3] / [1.0, -1.0, -margin]).tolist()
    factors = own.index.to_numpy(float)
    told = own["credit_long"].to_numpy(float) + credited
    brought = own["margin_long"].to_numpy(float) / margin + caused
    if credited <= 0 or (answers := _elasticity(factors, told)) < FLATTEST:
        return None
    short = caused - credited  # of what is caused: below 0, more is credited than caused
    if abs(short) < NEGLIGIBLE * credited:
        short = 0.0
    spilt = min(max(0.0, short), max(0.0, others))
    return Lesson(
        captured=min(1.0, max(0.0, -short) / credited),
        spilt=min(MOST, spilt / credited),
        unseen=min(MOST, max(0.0, short - spilt) / credited),
        told=answers,
        caused=_elasticity(factors, brought),
        at=float(off[0, 3]) / WEEKS_IN_YEAR,
    )


def _elasticity(factors: np.ndarray, level: np.ndarray) -> float:
    """Return the slope of log level on log factor, through all that is above nothing."""
    kept = (factors > 0) & (level > 0)
    if kept.sum() < 2:
        return 0.0
    x, y = np.log(factors[kept]), np.log(level[kept])
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
    return min(STEEPEST, max(0.0, slope))
