"""Pictures of credit: who claims what, and what a steering rule believed."""

from __future__ import annotations

import altair as alt
import pandas as pd

from omnisim.language import Language, message
from omnisim.report.charts import ARMS, INK, ROW, Key, Panel, Picture, Table, panel, rounded, told
from omnisim.report.placement import belief
from omnisim.report.results import Results

CLAIMS = "claims"
CREDITED, CAUSED = ARMS[0], ARMS[1]
FIRST = 4  # media whose beliefs are drawn: those with most money


def claimed(results: Results, words: Language) -> Picture | None:
    """Return claimed against caused orders per department, and over-credit by rule."""
    found = results.table("claimed")
    if not len(found):
        return None
    arms = [arm for arm in results.arms if (found["arm"] == arm).any()]
    departments = found[(found["kind"] == "department") & (found["rule"] == CLAIMS)]
    panels = [
        _bars(words, words.plain(arm), departments[departments["arm"] == arm]) for arm in arms[:4]
    ]
    keys = [Key(words.say("claimed"), CREDITED), Key(words.say("caused"), CAUSED)]
    return Picture(
        words.say("Who claims what"),
        _takeaway(results, words, found),
        words.say(
            "Claimed: orders that a department counts as its own. Caused: orders that would be"
            " missing within a year if its media were switched off, with 95 % intervals. Both for"
            " 13 weeks, one year before the end, times four."
        ),
        panels,
        keys,
        [_rules(words, arm, found[found["arm"] == arm]) for arm in arms[:2]],
        {"claimed": found},
    )


def _takeaway(results: Results, words: Language, found: pd.DataFrame) -> str:
    said = []
    for arm in results.arms:
        own = found[(found["arm"] == arm) & (found["rule"] == CLAIMS)]
        company = own[own["kind"] == "company"]
        if not len(company):
            continue
        credited, caused = float(company["credited"].iloc[0]), float(company["caused"].iloc[0])
        if caused > 0 and credited > float(company["caused_high"].iloc[0]):
            claim = message("{arm}: departments claim {share} of the orders that marketing causes")
        elif credited > 0 and float(company["caused_low"].iloc[0]) > credited:
            claim = message(
                "{arm}: departments claim only {share} of the orders that marketing causes"
            )
        else:
            continue
        share = words.percent(credited / caused)
        said.append(words.say(claim, arm=words.plain(arm), share=share))
    if not said:
        return ""
    parts = found[(found["arm"] == results.baseline) & (found["rule"] == CLAIMS)]
    parts = parts[(parts["kind"] == "department") & (parts["credited"] > parts["caused_high"])]
    if len(parts):
        worst = parts.sort_values("over").iloc[-1]
        said.append(
            words.say(
                "{department} of {arm} claims {credited} and causes {caused}",
                department=words.plain(str(worst["name"])),
                arm=words.plain(results.baseline),
                credited=words.count(float(worst["credited"])),
                caused=words.count(float(worst["caused"])),
            )
        )
    return told(said)


def _bars(words: Language, title: str, found: pd.DataFrame) -> Panel:
    order = [words.plain(str(name)) for name in found.sort_values("credited")["name"]][::-1]
    claim, cause = words.say("claimed"), words.say("caused")
    names = found["name"].map(lambda name: words.plain(str(name)))
    long = pd.concat(
        [
            pd.DataFrame({"who": names, "what": claim, "orders": found["credited"]}),
            pd.DataFrame(
                {
                    "who": names,
                    "what": cause,
                    "orders": found["caused"],
                    "low": found["caused_low"],
                    "high": found["caused_high"],
                }
            ),
        ]
    )
    base = alt.Chart(rounded(long)).encode(
        y=alt.Y("who:N", title=None, sort=order),
        yOffset=alt.YOffset("what:N", sort=[claim, cause]),
    )
    bars = base.mark_bar().encode(
        x=alt.X(
            "orders:Q",
            title=words.say("Orders a year"),
            axis=alt.Axis(format=",~r", tickCount=5),
        ),
        color=alt.Color(
            "what:N", legend=None, scale=alt.Scale(domain=[claim, cause], range=[CREDITED, CAUSED])
        ),
        tooltip=[
            alt.Tooltip("who:N", title=words.say("Department")),
            alt.Tooltip("what:N", title=words.say("What")),
            alt.Tooltip("orders:Q", title=words.say("Orders a year"), format=",.0f"),
        ],
    )
    reach = base.transform_filter("isValid(datum.low)").mark_rule(color=INK, strokeWidth=1.5)
    chart = alt.layer(bars, reach.encode(x="low:Q", x2="high:Q"))
    said = words.say("Claimed and caused orders per department: {arm}", arm=title)
    return panel(title, said, chart, max(2, len(order)) * (ROW + 10))


def _rules(words: Language, arm: str, found: pd.DataFrame) -> Table:
    """Return, per medium, what each rule credits for every order that was caused."""
    media = found[found["kind"] == "medium"]
    rules = list(dict.fromkeys(media["rule"]))
    heads = [words.plain(arm), words.say("caused a year"), *(words.plain(rule) for rule in rules)]
    ratio = media.pivot_table(index="name", columns="rule", values="ratio", aggfunc="first")
    caused = media.groupby("name")["caused"].first().sort_values(ascending=False)
    rows = []
    for name in caused.index:
        cells = [words.plain(str(name)), words.number(float(caused[name]))]
        for rule in rules:
            known = name in ratio.index and rule in ratio and pd.notna(ratio.loc[name, rule])
            cells.append(words.number(float(ratio.loc[name, rule]), 2) if known else "–")
        rows.append(cells)
    caption = words.say(
        "Orders that a rule credits to a medium for every order that the medium caused: above 1 it"
        " is given too much, below 1 too little; “–” where nothing was caused."
    )
    return Table(caption, heads, rows)


def believed(results: Results, words: Language) -> Picture | None:
    """Return what those who decide believed an order costs, against what was true, by week."""
    found = results.table("beliefs")
    if not len(found) or not found["believed_cpo"].notna().any():
        return None
    told_in = set(found[found["believed_cpo"].notna()]["arm"])
    arms = [arm for arm in results.arms if arm in told_in][:2]
    media = _first_media(results, found)
    names = [words.plain(arm) for arm in arms]
    panels = [
        _lines(words, words.plain(name), found[found["channel"] == name], arms, names)
        for name in media
    ]
    keys = []
    for nth, name in enumerate(names):
        keys.append(Key(words.say("{arm}: believed", arm=name), ARMS[nth], "1 0"))
        keys.append(Key(words.say("{arm}: true", arm=name), ARMS[nth], shape="circle"))
    return Picture(
        words.say("What the rule believed, and what was true"),
        belief(words, [euro for euro in results.last_euros if euro.arm in arms]),
        words.say(
            "EUR per next order by week for the media with most money: the line is what the reports"
            " say, a dot what was true where it was measured."
        ),
        panels,
        keys,
        data={"beliefs": found},
    )


def _first_media(results: Results, found: pd.DataFrame) -> list[str]:
    told = set(found[found["believed_cpo"].notna()]["channel"])
    after = results.weekly[(results.weekly["week"] >= 0) & (results.weekly["kind"] == "media")]
    spent = after.groupby("channel")["spent_cents"].sum().sort_values(ascending=False)
    return [str(name) for name in spent.index if name in told][:FIRST]


def _lines(
    words: Language, title: str, found: pd.DataFrame, arms: list[str], names: list[str]
) -> Panel:
    frame = found[found["arm"].isin(arms)]
    frame = frame.assign(arm=frame["arm"].map(dict(zip(arms, names, strict=True))))
    frame = frame[["arm", "week", "believed_cpo", "true_cpo"]]
    colour = alt.Color(
        "arm:N", legend=None, scale=alt.Scale(domain=names, range=ARMS[: len(names)])
    )
    base = alt.Chart(rounded(frame)).encode(
        x=alt.X("week:Q", title=words.say("Weeks since the fork"), axis=alt.Axis(grid=False)),
        color=colour,
    )
    cost = alt.Y(
        "believed_cpo:Q",
        title=words.say("EUR per order"),
        scale=alt.Scale(type="log", nice=False, padding=10),
        axis=alt.Axis(tickCount=4, format=",~r"),
    )
    line = base.transform_filter("datum.believed_cpo > 0").mark_line().encode(y=cost)
    dots = (
        base.transform_filter("datum.true_cpo > 0")
        .mark_point(filled=True, size=90, stroke=INK, strokeWidth=0.5)
        .encode(y="true_cpo:Q")
    )
    said = words.say("Believed and true cost of the next order: {medium}", medium=title)
    return panel(title, said, alt.layer(line, dots), 170)
