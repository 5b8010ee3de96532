// Everything on paper: role cards, decision sheets, and the reports of the last quarter.
import { el, fill, firm, language, medium, money, number, role, short, t } from "./words.js";
import { learn, send } from "./wire.js";

const MANAGER = "omnichannel_manager";
const code = location.pathname.split("/").pop();

const heading = (seat, what) => el("div", { class: "spread" }, el("h1", {}, `${what} · ${role(seat.role)}`), el("span", { class: "soft" }, `${firm(seat.firm)} · ${code}`));

function report(quarter) {
  const names = Object.keys(quarter.media);
  const columns = names.length ? Object.keys(quarter.media[names[0]]) : [];
  return el("div", {},
    quarter.bonus === null ? null : el("p", {}, el("strong", {}, `${t("seat.bonus")}: ${money(quarter.bonus)}`)),
    names.length ? el("table", {},
      el("thead", {}, el("tr", {}, el("th", {}, t("column.medium")), columns.map((name) => el("th", {}, t(`column.${name}`))), columns.includes("claims") ? el("th", {}, t("column.per_order")) : null)),
      el("tbody", {}, names.map((name) => {
        const its = quarter.media[name];
        return el("tr", {}, el("th", { scope: "row" }, medium(name)), columns.map((column) => el("td", {}, column === "spent" ? money(its[column]) : number(its[column]))),
          columns.includes("claims") ? el("td", {}, its.claims > 0 ? money(its.spent / its.claims, 1) : "–") : null);
      }))) : null,
    Object.keys(quarter.company).length ? el("table", {}, el("tbody", {}, Object.entries(quarter.company).map(([name, value]) =>
      el("tr", {}, el("th", { scope: "row" }, t(`column.${name}`)), el("td", {}, short(value)))))) : null);
}

const when = (quarter) => (quarter.when === "before" ? t("last_year", { nth: quarter.nth + 1 }) : t("quarter", { nth: quarter.nth + 1 }));

function card(seat, owned) {
  const latest = seat.quarters[seat.quarters.length - 1];
  const budget = owned.reduce((sum, { last }) => sum + last, 0);
  const manages = seat.role === MANAGER;
  return el("section", { class: "sheet" }, heading(seat, t("paper.role_card")),
    el("p", {}, el("strong", {}, manages ? t("paper.you_manage") : t("paper.you_are", { role: role(seat.role) })), " ", t("paper.secret")),
    el("p", {}, t(manages ? "paper.bonus_manager" : "paper.bonus_silo")),
    el("p", {}, t(manages ? "paper.budget_manager" : "paper.budget", { money: money(budget) })),
    manages ? null : [el("h2", {}, t("paper.own")), el("p", {}, owned.map(({ name }) => medium(name)).join(", "))],
    el("h2", {}, `${t("seat.reports")} · ${when(latest)}`), report(latest));
}

function sheet(seat, owned) {
  return el("section", { class: "sheet" }, heading(seat, t("paper.sheet")),
    el("p", {}, t("paper.initials")),
    el("table", {}, el("thead", {}, el("tr", {}, el("th", {}, t("column.medium")), el("th", {}, t("paper.now")), [1, 2, 3, 4].map((nth) => el("th", {}, t("quarter", { nth }))))),
      el("tbody", {}, owned.map(({ name, last }) => el("tr", {}, el("th", { scope: "row" }, medium(name)), el("td", {}, money(last)), [1, 2, 3, 4].map(() => el("td", { class: "field" })))),
        el("tr", {}, el("th", { scope: "row" }, t("column.total")), el("td", {}, money(owned.reduce((sum, { last }) => sum + last, 0))), [1, 2, 3, 4].map(() => el("td", { class: "field" }))))),
    el("h2", { style: "margin-top:1em" }, t("trainer.prediction")), el("p", {}, `${t("seat.guess_claims")} ______`),
    seat.role === MANAGER ? null : owned.map(({ name }) => el("p", {}, `${t("seat.guess_cost", { medium: medium(name) })} ______`)));
}

function show(state) {
  const last = Object.fromEntries(state.plans.flatMap((plan, nth) => [[nth, plan]]));
  const owned = (seat) => state.owned[seat.role].map((name) => ({ name, last: last[seat.firm][name] }));
  const slips = state.rounds.length > 0;
  fill(document.getElementById("page"),
    el("p", { class: "noprint row" }, el("button", { class: "main", onclick: () => print() }, t("paper.print")),
      el("button", { onclick: async () => { await learn(language() === "de" ? "en" : "de"); show(state); } }, t("other"))),
    slips ? state.seats.map((seat) => {
      const latest = seat.quarters[seat.quarters.length - 1];
      return el("section", { class: "sheet" }, el("h1", {}, t("paper.slip", { role: role(seat.role), when: when(latest) })), el("p", { class: "soft" }, `${firm(seat.firm)} · ${code}`), el("p", {}, t("paper.secret")), report(latest));
    }) : null,
    state.seats.map((seat) => [card(seat, owned(seat)), sheet(seat, owned(seat))]));
}

await learn(document.documentElement.lang === "de" ? "de" : "en");
show(await send(`/api/rooms/${code}/led`));
