"""Pictures of people: where journeys are lost, and who stays a customer."""

from __future__ import annotations

import altair as alt
import pandas as pd

from omnisim.comparison import capitalised, interval
from omnisim.language import Language
from omnisim.measures import EMPTY, LOST, OUTCOMES, weakest_link
from omnisim.report.charts import (
    DRAWN,
    PARTS,
    ROW,
    Key,
    Panel,
    Picture,
    Table,
    arm_keys,
    arm_lines,
    panel,
    rounded,
)
from omnisim.report.differences import against
from omnisim.report.results import Results
from omnisim.spec import STAGES, WEEKS_IN_YEAR

STAYING = (
    *("new_customers", "churn", "clv", "multichannel_share", "satisfaction"),
    *("use_cases_done_share", "hand_overs_missed_share", "contacts_to_recent_buyers"),
)


def walked(results: Results, words: Language) -> Picture | None:
    """Return how many journeys get through each stage, and at which touchpoint they are lost."""
    found = _flow(results)
    if not len(found):
        return None
    keys = [Key(words.plain(stage), PARTS[nth]) for nth, stage in enumerate(STAGES)]
    keys.append(Key(words.say("ordered"), PARTS[-1]))
    shown = results.arms[:4]
    most = float(found.groupby(["arm", "channel"])["journeys"].sum().max())
    panels = [
        _touchpoints(words, words.plain(arm), found[found["arm"] == arm], most) for arm in shown
    ]
    weakest = [weakest_link(results.measures, arm, words) for arm in shown]
    return Picture(
        words.say("Journeys: where are people lost?"),
        " ".join(capitalised(sentence) for sentence in weakest if sentence),
        words.say(
            "Journeys a year that end at a touchpoint: lost while getting informed, evaluating or"
            " buying there, or with an order. The table follows them from stage to stage."
        ),
        panels,
        keys,
        [_stages(results, words, found)],
        {"journeys": found},
    )


def _flow(results: Results) -> pd.DataFrame:
    """Return journeys a year by arm, touchpoint and how they ended (mean over replications)."""
    measures = results.measures[results.measures["channel"] != ""]
    rows = measures[measures["outcome"].isin((*LOST, "orders"))]
    if not rows["outcome"].isin(LOST).any():
        return pd.DataFrame()
    mean = rows.groupby(["arm", "channel", "outcome"])["value"].mean()
    yearly = (mean * WEEKS_IN_YEAR / results.weeks).rename("journeys").reset_index()
    yearly["ended"] = yearly["outcome"].str.removeprefix("lost_")
    return yearly[["arm", "channel", "ended", "journeys"]]


def _touchpoints(words: Language, title: str, found: pd.DataFrame, most: float) -> Panel:
    order = found.groupby("channel")["journeys"].sum().sort_values(ascending=False).index
    ends = [*STAGES, "orders"]
    labels = {stage: words.plain(stage) for stage in STAGES} | {"orders": words.say("ordered")}
    frame = found.assign(
        touchpoint=found["channel"].map(lambda name: words.plain(str(name))),
        ended=found["ended"].map(labels),
        rank=found["ended"].map(ends.index),
    )
    scale = alt.Scale(domain=[labels[end] for end in ends], range=[*PARTS[:3], PARTS[-1]])
    chart = (
        alt.Chart(rounded(frame[["touchpoint", "ended", "rank", "journeys"]]))
        .mark_bar(height=ROW - 10)
        .encode(
            x=alt.X(
                "journeys:Q",
                title=words.say("Journeys a year"),
                scale=alt.Scale(domain=[0, most]),  # the same in all arms
                axis=alt.Axis(format=",~r", tickCount=5),
            ),
            y=alt.Y("touchpoint:N", title=None, sort=[words.plain(str(name)) for name in order]),
            color=alt.Color("ended:N", legend=None, scale=scale),
            order=alt.Order("rank:Q"),
            tooltip=[
                alt.Tooltip("touchpoint:N", title=words.say("Touchpoint")),
                alt.Tooltip("ended:N", title=words.say("Ended")),
                alt.Tooltip("journeys:Q", title=words.say("Journeys a year"), format=",.0f"),
            ],
        )
    )
    said = words.say("Where journeys end, by touchpoint: {arm}", arm=title)
    return panel(title, said, chart, ROW * max(2, len(order)))


def _stages(results: Results, words: Language, found: pd.DataFrame) -> Table:
    """Return, arm by arm, how many journeys reach each stage and how many are lost there."""
    heads = [words.say("Journeys a year")]
    for stage in STAGES:
        name = words.plain(stage)
        heads += [words.say("{stage}: reached", stage=name), words.say("{stage}: lost", stage=name)]
    sums = found.groupby(["arm", "ended"])["journeys"].sum()
    rows = []
    for arm in results.arms:
        row = [words.plain(arm)]
        for nth, stage in enumerate(STAGES):
            rest = (*STAGES[nth:], "orders")
            reached = sum(float(sums.get((arm, end), 0.0)) for end in rest)
            lost = float(sums.get((arm, stage), 0.0))
            row += [words.number(reached), words.percent(lost / reached, 1) if reached else EMPTY]
        rows.append([*row, words.number(float(sums.get((arm, "orders"), 0.0)))])
    return Table(words.say("Journeys with us by stage."), [*heads, words.say("ordered")], rows)


def customers(results: Results, words: Language) -> Picture | None:
    """Return new, kept and lost customers, what they are worth, and how many channels they use."""
    comparison = results.comparison
    there = {level.outcome for level in comparison.levels}
    names = [name for name in STAYING if name in there]
    if not names:
        return None
    weeks = _new(results)
    return Picture(
        words.say("Customers: won, kept, lost"),
        _takeaway(results, words, names),
        words.say("New customers a week, means of all replications with 95 % bands."),
        [_lines(results, words, weeks)] if len(weeks) else (),
        arm_keys([words.plain(arm) for arm in results.arms[:DRAWN]]),
        against(
            results,
            words,
            names,
            words.say("Differences with their 95 % intervals, paired by replication."),
        ),
        {"new_customers": weeks} if len(weeks) else None,
    )


def _new(results: Results) -> pd.DataFrame:
    after = results.weekly[results.weekly["week"] >= 0]
    sums = after.groupby(["arm", "week", "replication"])["expected_new_customers"].sum()
    if not sums.any():
        return pd.DataFrame()
    wide = sums.unstack("replication").dropna()
    rows = [
        (arm, int(week), *interval(found))
        for (arm, week), found in zip(wide.index, wide.to_numpy(), strict=True)
    ]
    return pd.DataFrame(rows, columns=["arm", "week", "mean", "low", "high"])


def _takeaway(results: Results, words: Language, names: list[str]) -> str:
    """Return what surely changes about customers."""
    said = []
    for arm in results.arms[1:]:
        parts = []
        for name in ("new_customers", "churn", "clv"):
            row = results.comparison.of(name).get(arm) if name in names else None
            if row is None or not row.verdict or row.ci_low * row.ci_high <= 0:
                continue
            label = words.say(OUTCOMES[name].label)
            share = words.percent(row.relative, 1, signed=True)
            parts.append(words.say("{label} {share}", label=label, share=share))
        if parts:
            said.append(f"{words.plain(arm)}: {', '.join(parts)}")
    if not said:
        return ""
    against = words.plain(results.baseline)
    return words.say("Held against {baseline}: {found}.", baseline=against, found="; ".join(said))


def _lines(results: Results, words: Language, weeks: pd.DataFrame) -> Panel:
    labels = {arm: words.plain(arm) for arm in results.arms[:DRAWN]}
    low = alt.Y("low:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(format=",~r"))
    band, line = arm_lines(weeks, labels, words.say("Weeks since the fork"), low)
    title = words.say("New customers a week")
    said = words.say("{what}, a line per arm", what=title)
    return panel(title, said, alt.layer(band, line), 200)
