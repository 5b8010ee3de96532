"""What was asked and assumed: market, time, seed, versions, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from omnisim.language import Language
from omnisim.report.results import Results


def assumed(results: Results, words: Language) -> dict[str, str]:
    """Return what stands behind the numbers, by what it is called."""
    plan, provenance = results.plan, results.provenance
    found = {
        words.say("Hypothesis"): words.say(str(plan["hypothesis"])),
        words.say("Decision rule"): words.say(str(plan["decision_rule"])),
        words.say("Expectation"): words.say(str(plan.get("expectation") or "")),
        words.say("Market"): _market(plan["market"], words),
        words.say("Strategies"): _strategies(plan, words),
        words.say("Time"): words.say(
            "{history} weeks of shared history, then {weeks} weeks in each arm",
            history=plan["horizon"]["history_weeks"],
            weeks=results.weeks,
        ),
        words.say("What matters"): words.say(
            "a difference of more than {share} % of {baseline}’s gross revenue for totals in EUR,"
            " of its own value for all else",
            share=words.number(100 * results.comparison.share, 1),
            baseline=words.plain(results.baseline),
        ),
        words.say("Intervals"): words.say(
            "Student’s t over paired replications. “no” and “less” mean that the whole interval"
            " lies inside the margin (two one-sided tests), “yes” that it lies beyond it, “less”"
            " that there is a difference all the same; several arms are corrected by Holm’s"
            " method."
        ),
        words.say("Sources"): words.say(
            "Parameters cite their sources in docs/model.md; what the market’s output misses of"
            " the facts stands in docs/validation.md."
        ),
        words.say("Finished"): _finished(provenance, words),
        words.say("Seed"): str(results.summary["seed"]),
        words.say("Versions"): _versions(provenance),
    }
    return {name: text for name, text in found.items() if text}


def _market(market: Mapping[str, Any], words: Language) -> str:
    said = [str(market["name"])]
    if market.get("kind", "people") == "people" and market.get("people"):
        said.append(
            words.say(
                "{people} agents for {persons} persons",
                people=words.number(float(market["people"])),
                persons=words.number(float(market["persons"])),
            )
        )
    else:
        said.append(words.say("response curves in place of people"))
    said.append(
        words.say(
            "EUR {amount} for media a year", amount=words.number(float(market.get("budget", 0)))
        )
    )
    said.append(
        words.say("budget split at the start: {start}", start=words.plain(str(market["start"])))
    )
    return ", ".join(said)


def _strategies(plan: Mapping[str, Any], words: Language) -> str:
    said = []
    for name, arm in plan["arms"].items():
        steering = words.plain(str(arm["steering"]["kind"]))
        credit = words.plain(str(arm.get("attribution", {}).get("kind", "")))
        said.append(
            words.say(
                "{arm}: steering {steering}, credit by {credit}",
                arm=words.plain(str(name)),
                steering=steering,
                credit=credit,
            )
        )
    return "; ".join(said)


def _finished(provenance: Mapping[str, Any], words: Language) -> str:
    when = provenance.get("finished")
    return words.date(datetime.fromisoformat(when)) + " UTC" if when else ""


def _versions(provenance: Mapping[str, Any]) -> str:
    versions = provenance.get("versions", {})
    said = [f"{name} {versions[name]}" for name in ("omnisim", "python") if versions.get(name)]
    said.append(f"model {provenance.get('model', '–')}")
    if provenance.get("commit"):
        said.append(f"commit {str(provenance['commit'])[:12]}")
    return ", ".join(said)
