"""Flows: by which touchpoints journeys go from stage to stage, by persona."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from omnisim.records import FLOW_COLUMNS, Records
from omnisim.spec import WEEKS_IN_YEAR, ExperimentSpec

COLUMNS = ("arm", *FLOW_COLUMNS[:-1], "journeys_year")


def table(spec: ExperimentSpec, books: Sequence[Records]) -> pd.DataFrame:
    """Return journeys a year by arm, persona, sales channel of every stage, and their end.

    Means over replications. A stage that was not reached has no channel, and so has one in
    which the journey was lost before any was.
    """
    lived = [book.flows.assign(arm=book.arm) for book in books if len(book.flows)]
    if not lived:
        return pd.DataFrame(columns=list(COLUMNS))
    replications = Counter(book.arm for book in books)
    rows = pd.concat(lived)
    sums = rows.groupby(list(COLUMNS[:-1]), as_index=False)["journeys"].sum()
    years = sums["arm"].map(replications) * spec.horizon.weeks / WEEKS_IN_YEAR
    told: pd.DataFrame = sums.assign(journeys_year=sums["journeys"] / years)[list(COLUMNS)]
    return told
