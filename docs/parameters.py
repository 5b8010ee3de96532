"""Write the tables of parameters in docs/model.md: `python docs/parameters.py` does it.

Names, bounds and types come from omnisim.spec, values from the default question, sources
from the comments in the default market's YAML. Only the words of `WORDS` are written here.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from omnisim import config, spec

PAGE = Path(__file__).with_name("model.md")
BEGIN, END = "<!-- parameters: begin -->", "<!-- parameters: end -->"
HEAD = ("key", "meaning", "unit", "allowed", "default", "source")
SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
STATUS = re.compile(r"\[(V2|V|C|A|M)\b")

# Meaning, unit and, where no YAML comment says it, the source of every field of the spec.
WORDS: dict[str, tuple[str, ...]] = {
    "ExperimentSpec.experiment": ("name of the question, that of its file", ""),
    "ExperimentSpec.question": ("the question in words", ""),
    "ExperimentSpec.hypothesis": ("what is held to be true before asking", ""),
    "ExperimentSpec.decision_rule": ("what will decide, said before asking", ""),
    "ExperimentSpec.expectation": ("what the one who asks expects", ""),
    "ExperimentSpec.seed": ("which luck; all replications hang on it", ""),
    "ExperimentSpec.market": ("everything that management does not decide", ""),
    "ExperimentSpec.status_quo": (
        "what the firm does today, under which the shared history runs; typed as `steering`, "
        "`integration`, `rollout`, `incentives`, `attribution`, `organigram`",
        "",
    ),
    "ExperimentSpec.arms": ("strategies by name, each a patch on the status quo", ""),
    "ExperimentSpec.baseline": ("the arm with which the others are compared", ""),
    "ExperimentSpec.horizon": ("how long", ""),
    "ExperimentSpec.replications": ("how often", ""),
    "ExperimentSpec.outcomes": ("what decides", ""),
    "ExperimentSpec.interaction": ("two changes of which it is asked what they bring together", ""),
    "Interaction.both": ("the arm that has both changes", ""),
    "Interaction.alone": ("the two arms that have one each", ""),
    "ExperimentSpec.truth": (
        "whether forks measure what each medium's money causes: not; for a fifth more; or for "
        "nothing, half, a fifth less, a fifth more and double, with the price of silos",
        "",
    ),
    "Horizon.history_weeks": ("shared history before the fork", "weeks"),
    "Horizon.weeks": ("what every arm runs after the fork", "weeks"),
    "Replications.min": ("replications of a batch; at least one batch runs", ""),
    "Replications.max": ("no more than these", ""),
    "Replications.precision": (
        "stop when the half-width of the primary difference is at most this share of the margin; "
        "nothing: always `max`",
        "share of the margin",
    ),
    "Outcomes.primary": ("the outcome that decides", ""),
    "Outcomes.margin": (
        "below this a difference does not matter",
        "share of the baseline's gross revenue for EUR, of its own value for others",
        "[A]",
    ),
    "Marketplace.name": ("name of the market", ""),
    "Market.people": ("agents; more of them change precision only", "agents"),
    "Market.persons": ("real persons that the agents stand for", "persons"),
    "Marketplace.budget": ("money for all media together", "EUR a year"),
    "Marketplace.start": ("the split with which the history begins; `equal` needs none", ""),
    "Marketplace.splits": ("shares of the budget by start and medium", "share"),
    "Marketplace.trend": ("factor on every medium's own trend and price trend", "factor"),
    "Marketplace.drift": (
        "weekly step of a random walk in the log of what every medium does",
        "standard deviation",
    ),
    "Market.attention": ("contacts a day at which half of them is noticed", "contacts a day"),
    "Marketplace.vat": ("value-added tax", "share of the net price", "statutory rate in Germany"),
    "Marketplace.burn_in_weeks": ("unrecorded weeks before the history", "weeks"),
    "Marketplace.media": ("paid media by name", ""),
    "Marketplace.channels": ("sales channels by name", ""),
    "Marketplace.integration_costs": (
        "what a whole level of a dimension takes between two sales channels; absent: nothing",
        "",
    ),
    "Marketplace.change": ("how much change the firm bears at once", ""),
    "Marketplace.ideas": ("what ideas are worth that nobody has tried yet", ""),
    "Ideas.mean": ("what an idea changes in the middle: a little for the worse", "log", "[A]"),
    "Ideas.scale": ("how far ideas lie apart", "log", "[A]"),
    "Ideas.tails": (
        "degrees of freedom of Student's t: the fewer, the more of the good comes from rare ideas",
        "",
        "[A]",
    ),
    "LinkCost.one_off": ("cost of building it", "EUR", "[A]"),
    "LinkCost.running": ("cost of running it", "EUR a year", "[A]"),
    "LinkCost.weeks": ("work until it is ready, at full speed", "weeks", "[A]"),
    "LinkCost.disruption": (
        "contacts in both channels that fail meanwhile, of those that would succeed",
        "share",
        "[A]",
    ),
    "Change.capacity": ("links that are built at full speed at once; more share it", "links"),
    "Change.failure": (
        "links that fail, of those that are being built; it shows when they are ready",
        "share a week",
    ),
    "Market.kind": ("a market of people", ""),
    "Market.recent_visit_days": ("how long after a visit a person can be followed", "days"),
    "Market.recent_buyer_days": ("how long a person counts as one who has just bought", "days"),
    "Market.pressure": (
        "closed: audiences are counted every midnight; open: planned audiences, so that nobody's "
        "life touches anybody else's",
        "",
    ),
    "Market.segments": ("personas by name", ""),
    "Market.seasons": ("stretches of the 364-day year", ""),
    "Market.rivals": ("everybody else who wants the order", ""),
    "Market.buying": ("the customer base", ""),
    "Market.journey": ("how a need walks", ""),
    "Market.use_cases": ("ways over touchpoints that should be possible; describes only", ""),
    "Segment.share": ("part of all persons", "share"),
    "Segment.needs": ("needs that arise, mean over persons", "a year"),
    "Segment.base": ("draw of a prospect to us against the rivals", "log odds"),
    "Segment.loyalty": ("added for customers", "log odds"),
    "Segment.consent": ("persons who accept cookies: can be followed and tracked", "share"),
    "Segment.mail_opt_in": ("who opts in to mail, asked first and at every order", "share"),
    "Segment.searches": ("needs that begin with a search for the thing", "share"),
    "Segment.browse": ("visits to a site without a need", "a year"),
    "Segment.affinity": ("factor on a medium's contacts by medium; absent: 1", "factor"),
    "Segment.prefers": ("liking of a sales channel by stage; absent: 0", "utility"),
    "Medium.aim": (
        "whom it can meet: everybody; recent visitors; customers who opted in; those who search "
        "for the thing, or for our name",
        "",
    ),
    "Medium.payment": ("what is paid for", ""),
    "Medium.price": ("per thousand contacts, per click or per message, at the fork", "EUR"),
    "Medium.price_trend": ("growth of the price, zero at the fork", "log a year"),
    "Medium.reach": ("persons it can meet at all", "share"),
    "Medium.half_life": ("of goodwill", "days"),
    "Medium.pull": ("draw to us at full goodwill, at the fork", "log odds"),
    "Medium.trend": ("growth of the pull, zero at the fork", "log a year"),
    "Medium.half_pull": ("goodwill at which half the pull is felt", "noticed contacts"),
    "Medium.click_rate": ("contacts that become a click", "share"),
    "Medium.click_goodwill": ("what a click adds to goodwill", "noticed contacts"),
    "Medium.lands_on": ("sales channel to which a click leads; nothing: none", ""),
    "Medium.weekly_cap": ("most messages that a person accepts", "a week"),
    "Medium.reminder": (
        "n of its contacts during a walk divide the risk of losing the walk by 1 + n × this",
        "a contact",
    ),
    "Medium.unsubscribes": ("persons who take themselves off the list", "share of messages"),
    "Medium.tracked": ("whether its contacts can be last touches", ""),
    "Medium.click_window": ("how long after a click its department claims an order", "days"),
    "Medium.view_window": ("the same after a contact", "days"),
    "Medium.audience": ("planned audience, used when pressure is open", "share of persons"),
    "Medium.serves": (
        "stages it serves, of inform, evaluate, buy, receive, use; describes only",
        "",
    ),
    "Medium.benchmarks": ("what others pay and get, by `cpm`, `cpc`, `ctr`, `unsubscribes`", ""),
    "Benchmark.low": ("lower end of the range", "that of the measure"),
    "Benchmark.high": ("upper end", "that of the measure"),
    "Benchmark.source": ("who says so", ""),
    "UseCase.persona": ("whose way it is", ""),
    "UseCase.touchpoints": ("channels at stages in order, as `web.inform`", ""),
    "SalesChannel.serves": (
        "stages at which it can be turned to, of inform, evaluate, buy, receive, use",
        "",
    ),
    "SalesChannel.benchmarks": (
        "what others reach, by `conversion`, `checkout`, `basket`, `returned`, `margin`",
        "",
    ),
    "SalesChannel.online": ("whether it is a site or an app", ""),
    "SalesChannel.identity": ("persons who can be recognised here", "share"),
    "SalesChannel.success": ("a contact at this stage succeeds", "probability"),
    "SalesChannel.lost": ("a contact at this stage loses the journey", "probability"),
    "Till.basket": ("mean basket of a first order", "EUR with VAT"),
    "SalesChannel.basket_spread": ("spread of baskets (lognormal)", "standard deviation of log"),
    "Till.margin": ("margin", "share of net revenue"),
    "Till.cost_to_serve": ("cost of serving an order", "EUR an order"),
    "Till.returned": ("value that comes back", "share"),
    "SalesChannel.quality": ("satisfaction that an order leaves", "satisfaction"),
    "Season.first_day": ("first day of the stretch", "day of the year"),
    "Season.last_day": ("last day of the stretch", "day of the year"),
    "Season.needs": ("factor on needs", "factor"),
    "Season.online": ("added to the liking of online channels", "utility"),
    "Rivals.attraction": ("draw of the rivals; nothing: there are none", "log odds"),
    "Rivals.contacts": ("their contacts that compete for attention", "a day"),
    "Rivals.steal_unguarded": (
        "visits by a search for our name that a rival takes without our advertisement",
        "share",
    ),
    "Rivals.steal_guarded": ("the same beside our advertisement", "share"),
    "Buying.needs_shape": ("shape of the gamma distribution of needs over persons", ""),
    "Buying.drop_a": (
        "first parameter of the beta-distributed risk to drop out at a repeat need",
        "",
    ),
    "Buying.drop_b": ("second parameter; the mean risk is a / (a + b)", ""),
    "Buying.newcomers": ("persons replaced by new ones", "share a year"),
    "Buying.first_customers": ("customers when the burn-in begins", "share"),
    "Buying.cohort_weeks": (
        "everybody buys first on a day of these weeks and prospects have no needs; nothing: needs "
        "alone decide",
        "weeks",
    ),
    "Buying.satisfaction_step": ("weight of the newest order in satisfaction", "share", "[A]"),
    "Buying.satisfaction_noise": ("luck in how an order feels", "standard deviation", "[A]"),
    "Buying.satisfaction_pulls": (
        "draw to us",
        "log odds per unit of satisfaction",
        "[A]",
    ),
    "Buying.satisfaction_keeps": (
        "the risk to drop out is multiplied by exp(-this × satisfaction)",
        "per unit of satisfaction",
        "[A]",
    ),
    "Buying.repeat_basket": ("basket of a repeat order over a first one", "factor"),
    "Journey.contact": ("a walk under way goes on today", "probability"),
    "Journey.same_day": ("after a stage that succeeded the next follows at once", "probability"),
    "Journey.most_days": ("a walk that takes longer is lost", "days", "[A]"),
    "Journey.habit": ("liking of the channel of the last order", "utility", "[A]"),
    "Journey.inertia": ("liking of the channel just used in this walk", "utility", "[A]"),
    "Journey.push": ("liking of the channel to which today's click leads", "utility", "[A]"),
    "Journey.repeat_lost": ("being told twice loses the person", "probability", "[A]"),
    "Journey.friction": ("satisfaction lost by each repetition", "satisfaction", "[A]"),
    "Journey.brand_search": ("online contacts that begin with a search for our name", "share"),
    "Journey.closed_lost": (
        "who finds our channel closed goes to a rival; else tries again another day",
        "probability",
    ),
    "Journey.blocks_needs": ("a walk under way keeps a next need from arising", ""),
    "TextbookMarket.kind": ("a market of curves in place of people", ""),
    "TextbookMarket.baseline_orders": ("orders that no medium causes", "a week"),
    "TextbookMarket.synergies": ("what pairs of media bring together", ""),
    "TextbookMarket.demand": ("how much more or less of everything is bought", ""),
    "TextbookMedium.curve": ("orders a week by the adstock of spend in EUR", ""),
    "TextbookMedium.carry_over": ("part of the adstock that is left after a week", "share"),
    "TextbookMedium.leak": ("orders it causes that last touch misses", "share"),
    "TextbookMedium.capture": ("orders it does not cause that it touches", "share"),
    "TextbookMedium.trend": ("growth of the response, zero at the fork", "log a year"),
    "LogCurve.kind": ("orders = a ln(1 + spend / b)", ""),
    "LogCurve.a": ("slope times b at the first euro", "orders"),
    "LogCurve.b": ("spend at which the slope has halved", "EUR"),
    "ExponentialCurve.kind": ("orders = k (1 - exp(-b spend))", ""),
    "ExponentialCurve.k": ("most orders", "orders"),
    "ExponentialCurve.b": ("speed at which they are reached", "per EUR"),
    "PowerCurve.kind": ("orders = a spend^beta", ""),
    "PowerCurve.a": ("orders for the first euro", "orders"),
    "PowerCurve.beta": ("elasticity at every spend", ""),
    "MichaelisMentenCurve.kind": ("orders = most spend / (half + spend)", ""),
    "MichaelisMentenCurve.most": ("orders that no spend exceeds", "orders"),
    "MichaelisMentenCurve.half": ("spend that brings half of them", "EUR"),
    "HillCurve.kind": ("orders = most spend^shape / (half^shape + spend^shape)", ""),
    "HillCurve.most": ("orders that no spend exceeds", "orders"),
    "HillCurve.half": ("spend that brings half of them", "EUR"),
    "HillCurve.shape": ("above 1 the curve is S-shaped", ""),
    "Synergy.media": ("the two media", ""),
    "Synergy.kappa": ("orders at an adstock of one euro each", "orders a week"),
    "Demand.sd": ("spread of log demand", "standard deviation"),
    "Demand.autocorrelation": ("of log demand from week to week", ""),
    "Strategy.steering": ("who decides the budget over media, how, on what reports", ""),
    "Strategy.integration": ("what channels share", ""),
    "Strategy.rollout": ("how integration is raised after the fork", ""),
    "Strategy.incentives": ("what departments are paid on", ""),
    "Strategy.attribution": ("which credit the centre is shown", ""),
    "Strategy.trying": ("which ideas are tried, on whom, and what is shipped", ""),
    "Trying.ideas": ("tests begun, at whole weeks; 0: none", "a year"),
    "Trying.share": ("people on whom an idea is tried", "share", "[A]"),
    "Trying.weeks": ("how long a test runs", "weeks"),
    "Trying.ships": (
        "what a test must show: orders (`gain`), orders beyond two standard errors "
        "(`significant`), or so many that the idea is good in view of the odds (`posterior`)",
        "",
    ),
    "Trying.cost": ("what a test costs beside what it loses", "EUR", "[A]"),
    "Strategy.organigram": ("departments by name", ""),
    "Steering.kind": (
        "who decides: nobody; an equal split; every department; departments that ask a board; "
        "departments that trade; last year's credited sales; one centre; a plan made in "
        "advance; or one who knows the truth (a yardstick, never a strategy)",
        "",
    ),
    "Steering.rule": (
        "how: by learned marginal returns (C4), by shares of credit (C3a), or by credit per euro, "
        "the inverse of the average CPO (C3b)",
        "",
    ),
    "Steering.review_weeks": (
        "between two decisions, and the window that is credited",
        "weeks",
        "[A]",
    ),
    "Steering.damping": ("part of the way to the target that a review goes", "share", "[A]"),
    "Steering.step": ("most by which a review changes a medium's share", "of its own share", "[A]"),
    "Steering.floor": ("least that a medium keeps", "share of the scope's budget", "[A]"),
    "Steering.exploration": (
        "variation of spend around the plan",
        "standard deviation of log",
        "[A]",
    ),
    "Steering.geo": (
        "geo experiments by which a centre decides instead of reports (C5): none; many media at "
        "once; or one move at a time",
        "",
    ),
    "Steering.gain": (
        "how far experiments of `spsa` move shares at first",
        "log share per log order",
        "[A]",
    ),
    "Steering.elasticity_mean": (
        "prior belief of a decider",
        "elasticity of credit to spend",
        "[A]",
    ),
    "Steering.elasticity_sd": ("its doubt", "standard deviation", "[A]"),
    "Steering.elasticities": (
        "prior belief by medium, in place of `elasticity_mean`",
        "elasticity of credit to spend",
    ),
    "Steering.calibration": ("what credit is multiplied by, by medium; absent: nothing", ""),
    "Calibration.factor": ("what it is multiplied by at `at`", "factor"),
    "Calibration.slope": ("how that goes with the spend of the week", "elasticity"),
    "Calibration.at": ("spend at which the factor holds", "EUR a week"),
    "Steering.forgetting": ("weight of a week beside the next one", "factor a week", "[A]"),
    "Steering.report_delay_weeks": ("age of reports that leave a department", "weeks", "[A]"),
    "Steering.report_noise": ("error of such reports", "standard deviation of log", "[A]"),
    "Steering.fixed": ("media that keep their share, whoever decides", ""),
    "Steering.cap": ("most that a medium gets, by medium", "share of the scope's budget"),
    "Steering.evenness": (
        "how far every target is drawn to equal parts",
        "share",
        "[A]; the bias itself [V Bardolet, Fox & Lovallo 2011]",
    ),
    "Steering.scope": ("departments that the centre steers; none: all", ""),
    "Steering.limit": (
        "cost of the next credited order above which the centre holds money back; nothing: never",
        "EUR per order",
    ),
    "Steering.goal": (
        "what the centre and the oracle want most of at the budget: contribution (a centre counts "
        "orders), gross revenue, or new customers",
        "",
    ),
    "Steering.revenue_floor": (
        "gross revenue above which a centre holds money back, for the lowest CPO",
        "EUR a year",
    ),
    "Steering.cpo_cap": ("CPO of all orders to which a centre holds money back", "EUR"),
    "Steering.mandate": ("part of a move ordered by the centre that is carried out", "share"),
    "Steering.alone": ("what the centre may move in a review whatever its mandate", "share"),
    "Steering.attention": ("media that the centre looks at in a review; nothing: all", "media"),
    "Steering.committee": (
        "weeks between meetings that move budget between silos; 0: there are none",
        "weeks",
    ),
    "Steering.hears": ("requests that it hears in a meeting", "requests"),
    "Steering.overhead": ("what steering costs beside media", "EUR a year"),
    "Steering.given": ("shares by medium from a week after adoption on, for kind `given`", "share"),
    "Levels.promotion": ("one claim across channels, one cap on contacts", "level"),
    "Levels.price": ("one price and one calendar of promotions", "level"),
    "Levels.transaction_data": (
        "customers whose record is shared among the channels in which they are recognised",
        "share",
    ),
    "Levels.information_access": (
        "changes of channel in which the receiving one sees basket and advice",
        "share",
    ),
    "Levels.fulfilment": ("collect, ship and return anywhere", "level"),
    "Levels.service": ("one case file in every channel", "level"),
    "Levels.pairs": (
        "levels of single dimensions for a pair of sales channels, as `store+web`; absent: those "
        "above",
        "",
    ),
    "Integration.open": ("sales channels in which the firm sells; none named: all", ""),
    "Integration.frequency_cap": (
        "noticed contacts still felt at which those who count them stop for the day; none: no cap",
        "contacts",
    ),
    "Rollout.kind": (
        "the order in which links are built: none; all at once; in steps, pairs that sell most, "
        "that are asked for most or links that cost least first; every department its own, one by "
        "one",
        "",
    ),
    "Rollout.budget": ("money for one-off costs; nothing: what the target costs", "EUR"),
    "Rollout.start": ("when building begins", "weeks after the fork"),
    "Rollout.steps": ("steps of equal cost; each waits for the one before", ""),
    "Rollout.target": ("levels to be reached, none below those of `integration`", ""),
    "Incentives.company_weight": (
        "weight of the company's deduplicated orders, beside own claims, in what a department's "
        "rule reads",
        "share",
    ),
    "Incentives.culture": ("a programme that makes departments care for the company", ""),
    "Culture.start": ("when it begins", "weeks after adoption"),
    "Culture.goal": ("weight of the company's result towards which it works", "share", "[A]"),
    "Culture.weeks": ("how long it is paid; 0: there is none", "weeks"),
    "Culture.pace": ("until 63 % of the way is gone, there and back", "weeks", "[A]"),
    "Culture.cost": ("what it costs while it is paid", "EUR a year"),
    "Incentives.growth": (
        "yearly growth of every budget before all are scaled to the total",
        "a year",
        "[A]",
    ),
    "Incentives.ratchet": (
        "part of what was not spent that the next budget loses, before all are scaled",
        "share",
        "[A] .8 where it acts",
    ),
    "Incentives.reserve": (
        "part of every week that departments hold back",
        "share",
        "[A] .0691 gives the spike of US agencies [V Liebman & Mahoney 2017]",
    ),
    "Incentives.rush_weeks": ("last weeks of the year in which it is spent", "weeks", "[A]"),
    "Incentives.roll_over": (
        "whether the reserve belongs to the next year instead, and nothing is taken back",
        "",
    ),
    "Incentives.private_value": (
        "what a euro of budget is worth to its head",
        "EUR a year",
        "[A]",
    ),
    "Incentives.discount": ("what next year's worth counts today", "factor a year", "[A]"),
    "Attribution.kind": (
        "departments' claims, or the rule by which recorded orders are divided along their paths",
        "",
    ),
    "Attribution.test_weeks": (
        "how long `experiment` holds a medium out of half of the regions",
        "weeks",
        "[A]",
    ),
    "Attribution.deduplicated": (
        "not: every department divides orders among its own media; none: claims are not, all "
        "others are",
        "",
    ),
    "Department.owns": ("the media and sales channels it owns", ""),
    "Department.power": ("log of what a board gives it beyond its due", "", "[A]"),
    "Department.inflation": ("log of what it exaggerates by, where it reports itself", "", "[A]"),
    "Segment.categories": ("needs by category; none: all alike", "share"),
    "Segment.pays_by": ("ways of paying that its people use; none: any", "share"),
    "Segment.price": (
        "what a lower price adds to the liking for us and for a channel",
        "log odds per log price",
    ),
    "Segment.phone": ("contacts in a shop with the phone in hand", "share"),
    "Segment.coupons": ("checkouts online with a look for a coupon", "share"),
    "Region.share": ("who lives there", "share"),
    "Region.prefers": ("added to the liking of a sales channel, near or far", "utility"),
    "Region.affinity": ("factor on a medium's contacts there; absent: 1", "factor"),
    "Category.basket": ("what a basket of it is worth, on the channel's", "factor"),
    "Category.margin": (
        "margin in place of the channel's; nothing: as there",
        "share of net revenue",
    ),
    "Category.returned": (
        "value that comes back, in place of the channel's; nothing: as there",
        "share",
    ),
    "Category.incident": ("orders with something wrong", "share"),
    "Category.cross": ("orders that also hold another category", "share"),
    "Medium.converts": ("orders planned per contact, where orders or successes are paid", "share"),
    "Medium.opens": ("when it can be bought; nothing: always", "weeks after the fork"),
    "TextbookMedium.opens": ("when it can be bought; nothing: always", "weeks after the fork"),
    "Medium.lift": ("of checkouts that would be broken off, those that a coupon mends", "share"),
    "SalesChannel.sells": ("categories sold there; none: all", ""),
    "SalesChannel.regions": ("regions served; none: all", ""),
    "SalesChannel.accepts": ("ways of paying; none: all", ""),
    "SalesChannel.wait": ("contacts that wait too long", "share"),
    "SalesChannel.stock_out": (
        "contacts at the last stage that do not find what is wanted",
        "share",
    ),
    "SalesChannel.late": ("deliveries that are late", "share"),
    "SalesChannel.facts": ("products that are described rightly; the others come back", "share"),
    "SalesChannel.personalised": (
        "by how much contacts with a person known there succeed more often",
        "share",
    ),
    "SalesChannel.opens": ("when it opens; nothing: always there", "weeks after the fork"),
    "Campaign.first_day": ("first day of the campaign", "day of the year"),
    "Campaign.last_day": ("last day of the campaign", "day of the year"),
    "Campaign.attraction": ("added attraction of the rivals", "log odds"),
    "Campaign.contacts": ("added contacts that compete for attention", "contacts a day"),
    "Shock.first_week": ("first week of the shock", "weeks after the fork"),
    "Shock.last_week": ("last week of the shock", "weeks after the fork"),
    "Shock.needs": ("factor on needs", "factor"),
    "Shock.closed": ("sales channels that nobody can turn to", ""),
    "Friends.degree": ("friends of every person on the ring; 0: nobody talks", "persons"),
    "Friends.rewired": ("friends who are anybody", "share"),
    "Friends.tells": ("orders that are told to a friend", "share"),
    "Friends.talk": ("weight of a friend's satisfaction", "log odds"),
    "Friends.forgets": ("half-life of what friends have told", "days"),
    "Service.late_hurts": ("satisfaction lost over a late delivery", "satisfaction"),
    "Service.incident_hurts": ("satisfaction lost over an incident", "satisfaction"),
    "Service.twice": ("lost beside where it must be told twice", "satisfaction"),
    "Service.mended": ("part of an incident that is felt when the firm learns first", "share"),
    "Service.cost": ("what mending an incident costs", "EUR"),
    "Pricing.distrust": (
        "success is divided by exp(distrust × difference in price)",
        "a price index",
    ),
    "Pricing.haggles": ("who is given the lower price seen elsewhere", "share"),
    "Messages.claims": ("claims among which departments choose", ""),
    "Messages.weeks": ("how long a department keeps its claim", "weeks"),
    "Messages.clash": ("effect lost by a contact whose claim is not the one heard last", "share"),
    "Messages.patience": (
        "noticed contacts still felt beyond which more annoy",
        "contacts",
        "[V Todri, Ghose & Singh 2020: beyond a threshold display backfires] 7 [A]",
    ),
    "Messages.annoys": ("log odds that each of those takes", "utility", "[A]"),
    "Rivals.service": ("satisfaction that orders from rivals leave", "satisfaction"),
    "Rivals.campaigns": ("what rivals do on some days of the year", ""),
    "Buying.expectation": ("how far expectation moves to the best service met, per order", "share"),
    "Journey.assist": (
        "of contacts in a shop that fail, those that a phone with the same basket saves",
        "share",
    ),
    "Journey.confuses": (
        "of those that succeed, those that a phone which knows nothing spoils",
        "share",
    ),
    "Market.categories": ("kinds of products by name; none: one", ""),
    "Market.regions": ("regions by name; none: one", ""),
    "Market.shocks": ("what hits the market after the fork", ""),
    "Market.friends": ("who talks to whom", ""),
    "Market.service": ("what goes wrong after an order", ""),
    "Market.pricing": ("how people take different prices", ""),
    "Market.messages": ("what departments claim", ""),
    "Department.kpi": ("what it is paid on: a column of its media's ledgers", ""),
    "Department.reports_to": ("the department whose head splits its budget; nothing: its own", ""),
    "Department.review_weeks": (
        "between its decisions; nothing: as often as all do",
        "weeks",
    ),
    "Department.agency": ("what an agency is paid on top of the media it buys", "share", "[A]"),
    "Department.target": ("what it should reach in a year; nothing: no target", ""),
    "Target.growth": ("by which targets rise every year", "share a year", "[A]"),
    "Target.floor": ("where the bonus begins, of the target", "share", "[A]"),
    "Target.ceiling": ("where it ends, of the target", "share", "[A]"),
    "Target.ratchet": ("how far the next target follows what was reached", "share", "[A]"),
    "Target.interest": ("by which bonuses of later years count less", "share a year", "[A]"),
    "Target.slack": ("of a week's money, what a head can hold back", "share", "[A]"),
    "Department.promotes": ("weeks in which it sells for less", "share"),
    "Department.depth": ("by how much", "share"),
}

Notes = Mapping[tuple[str, ...], str]


def block() -> str:
    """Return all tables as Markdown, between the markers."""
    question, _ = config.load([])
    notes = comments(config.menu()["market"][config.defaults()["market"]].path)
    return "\n\n".join((BEGIN, *_sections(spec.ExperimentSpec, (), question, notes), END))


def written() -> str:
    """Return the page with the tables as they should be now."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return f"{before}{block()}{rest.partition(END)[2]}"


def words(kind: type[spec.Words], name: str) -> tuple[str, ...]:
    """Return the words for a field, perhaps those of a kind from which it is inherited."""
    keys = [f"{parent.__name__}.{name}" for parent in kind.__mro__]
    return next((WORDS[key] for key in keys if key in WORDS), (f"**no words for {keys[0]}**", ""))


def comments(path: Path) -> dict[tuple[str, ...], str]:
    """Return what the comments of a YAML file say, by the key on whose line they stand."""
    lines = path.read_text(encoding="utf-8").splitlines()
    said = {}
    for key, number in _lines(yaml.compose("\n".join(lines)), ()):
        text = lines[number].partition(" #")[2].strip()
        for line in lines[number + 1 :]:
            if not (text and line.strip().startswith("#")):
                break
            text = f"{text} {line.strip('# ')}"
        if text:
            said[key] = text
    return said


def _lines(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield every key of a YAML document with its line, but those within {}."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        for key, value in node.value:
            here = (*path, key.value)
            yield here, key.start_mark.line
            yield from _lines(value, here)


def _sections(
    kind: type[spec.Words],
    path: tuple[str, ...],
    node: spec.Words | None,
    notes: Notes,
    entries: str = "",
) -> Iterator[str]:
    """Yield heading, purpose and tables of a kind of words and of all that it holds.

    `node` is what the default question has there, None under names of people's own, for
    which `entries` is the table of what it has.
    """
    yield f"### {kind.__name__}" + (f": `{'.'.join(path)}`" if path else "")
    yield (kind.__doc__ or "").partition("\n")[0]
    yield _fields(kind, path, node, notes)
    if entries:
        yield entries
    for name, field in kind.model_fields.items():
        if name == "arms":  # strategies, as the status quo
            continue
        inside, many = _inside(field.annotation)
        below = path if spec.Strategy in inside else (*path, name)
        held = getattr(node, name, None)
        named = name == "splits" or (many and inside)
        table = _entries(below, held, notes) if held and named else ""
        for inner in inside:
            if many:
                yield from _sections(inner, (*below, "<name>"), None, notes, table)
            else:
                yield from _sections(inner, below, held if isinstance(held, inner) else None, notes)
        if table and not inside:
            yield table


def _inside(annotation: Any) -> tuple[list[type[spec.Words]], bool]:
    """Return the kinds of words that a field may hold, and whether under names of their own."""
    if isinstance(annotation, type) and issubclass(annotation, spec.Words):
        return [annotation], False
    parts = [_inside(part) for part in typing.get_args(annotation)]
    many = typing.get_origin(annotation) in (dict, tuple)
    return [kind for kinds, _ in parts for kind in kinds], many or any(more for _, more in parts)


def _fields(
    kind: type[spec.Words], path: tuple[str, ...], node: spec.Words | None, notes: Notes
) -> str:
    """Return the table of one kind of words: a row per field."""
    rows = []
    for name, field in kind.model_fields.items():
        meaning, unit, *source = words(kind, name)
        value = getattr(node, name, field.get_default(call_default_factory=True))
        if value is PydanticUndefined or name == "arms":
            stands = "must be given"
        else:
            stands = "below" if _inside(field.annotation)[0] else _text(value)
        note = (notes.get((*path, name)) if node else "") or "".join(source)
        key = f"`{'.'.join((*path[-1:], name))}`"
        rows.append((key, meaning, unit, _allowed(field), stands, note))
    return _table(HEAD, rows)


def _entries(path: tuple[str, ...], held: Any, notes: Notes) -> str:
    """Return what the default question has under names of its own: a column per name."""
    named = held.items() if isinstance(held, Mapping) else enumerate(held)
    columns = {str(name): dict(_flat(entry, ())) for name, entry in named}
    rows = [
        (
            f"`{'.'.join(row)}`",
            *(
                _cell(at.get(row, ""), notes.get((*path, name, *row), ""))
                for name, at in columns.items()
            ),
        )
        for row in dict.fromkeys(row for at in columns.values() for row in at)
    ]
    table = f"In the default question:\n\n{_table(('', *(f'`{name}`' for name in columns)), rows)}"
    said = [
        f"- `{'.'.join(key[len(path) :])}`: {text}"
        for key, text in notes.items()
        if key[: len(path)] == path and len(key) > len(path) + 1
    ]
    return "\n".join((table, "", *said)) if said else table


def _cell(value: Any, note: str) -> str:
    """Return a value with the status of its source."""
    status = STATUS.search(note)
    return f"{_text(value)} [{status[1]}]" if status else _text(value)


def _flat(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every value of nested words and mappings by its path."""
    inner = dict(node) if isinstance(node, spec.Words | Mapping) else {}
    for name, value in inner.items():
        yield from _flat(value, (*path, name))
    if not isinstance(node, spec.Words | Mapping):
        yield path, node


def _allowed(field: FieldInfo) -> str:
    """Return in words what a field accepts."""
    kind, bounds = field.annotation, list(field.metadata)
    if typing.get_origin(kind) is typing.Literal:
        return ", ".join(f"`{option}`" for option in typing.get_args(kind))
    if typing.get_origin(kind) in (types.UnionType, typing.Union):  # a value or nothing
        kind = typing.get_args(kind)[0]
    if typing.get_origin(kind) is typing.Annotated:
        kind, *inner = typing.get_args(kind)
        bounds += [bound for packed in inner for bound in getattr(packed, "metadata", ())]
    if kind not in (int, float):
        return "true or false" if kind is bool else "text" if kind is str else ""
    words = [
        f"{sign} {_text(getattr(bound, name))}"
        for bound in bounds
        for name, sign in SIGNS.items()
        if hasattr(bound, name)
    ]
    return ", ".join(["whole"] * (kind is int) + words) or "any number"


def _text(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.10g}"
        case list() | tuple():
            return ", ".join(map(str, value)) or "none"
        case dict():
            return "below" if value else "none"
        case str() if len(value) > 40:
            return "its text"
    return "" if value is PydanticUndefined else str(value)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    cells = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in cells)


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
