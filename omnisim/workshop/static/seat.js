// A participant's phone: joins with a code, decides, reads its own reports.
import { bars, colour } from "./charts.js";
import { el, fill, firm, language, medium, millions, money, number, percent, role, short, shortMoney, stepName, t, time } from "./words.js";
import { learn, listen, Refusal, send } from "./wire.js";

const page = document.getElementById("page");
const notice = document.getElementById("notice");
let code = (location.pathname.match(/^\/j\/(\w+)/)?.[1] ?? "").toUpperCase();
let state = null;
let stream = null;
let shown = ""; // which form is built
let form = null;
let ends = null;
let waiting = null; // a message that is on its way

const say = (text, bad = false) => fill(notice, text ? el("p", { class: bad ? "banner bad" : "banner" }, text) : null);

function failed(error) {
  if (error instanceof Refusal) say(error.text, true);
  else say(t("seat.offline"));
}

// -- coming in ------------------------------------------------------------------------

function askCode() {
  const input = el("input", { id: "code", value: code, autocomplete: "off", autocapitalize: "characters", maxlength: 12, required: true, class: "wide" });
  fill(page, el("form", { class: "card", onsubmit: (event) => { event.preventDefault(); code = input.value.trim().toUpperCase(); door(); } },
    el("h1", {}, t("join.title")), el("p", {}, el("label", { for: "code" }, t("join.code")), input),
    el("button", { class: "main wide" }, t("join.go"))));
  input.focus();
}

async function door() {
  say("");
  try {
    const found = await send("/api/door", { code });
    history.replaceState(null, "", `/j/${code}`);
    if (found.seated) enter();
    else chooseSeat(found);
  } catch (error) {
    failed(error);
    if (!document.getElementById("code")) askCode();
    if (!(error instanceof Refusal)) setTimeout(() => { if (!state) door(); }, 2000);
  }
}

function chooseSeat(found) {
  const free = new Set(found.free);
  const name = el("input", { id: "name", maxlength: 24, autocomplete: "given-name", required: true, class: "wide" });
  const choices = [];
  for (let nth = 0; nth < found.firms; nth++) {
    if (found.firms > 1) choices.push(el("h3", {}, firm(nth)));
    for (const one of found.roles) {
      const key = `${nth} ${one}`;
      choices.push(el("label", {},
        el("input", { type: "radio", name: "seat", value: key, required: true, disabled: !free.has(key) }),
        el("span", {}, role(one)), free.has(key) ? null : el("span", { class: "small" }, `(${t("join.taken")})`)));
    }
  }
  const submit = async (event) => {
    event.preventDefault();
    const key = new FormData(event.target).get("seat");
    const [nth, ...rest] = key.split(" ");
    try {
      await send("/api/join", { code, firm: Number(nth), role: rest.join(" "), name: name.value });
      say("");
      enter();
    } catch (error) {
      failed(error);
      if (error.why === "seat_taken") door().then(() => failed(error));
    }
  };
  fill(page, el("form", { class: "card", onsubmit: submit },
    el("h1", {}, t("join.title")),
    el("p", {}, el("label", { for: "name" }, t("join.name")), name),
    el("fieldset", { class: "choices", style: "border:0;padding:0;margin:0 0 .8rem" }, el("legend", {}, t("join.pick")), choices),
    free.size ? el("button", { class: "main wide" }, t("join.sit")) : el("p", { class: "bad" }, t("join.full"))));
}

function enter() {
  stream?.close();
  stream = listen(`/api/rooms/${code}/events`, {
    state: (told) => {
      if (notice.dataset.lost) { delete notice.dataset.lost; say(""); }
      state = told;
      ends = told.left === null || told.paused ? null : Date.now() + told.left * 1000;
      show();
      if (waiting) deliver();
    },
    lost: () => { notice.dataset.lost = "yes"; say(t("seat.offline")); probe(); },
    elsewhere: () => say(t("seat.elsewhere"), true),
    gone: () => { state = null; shown = ""; head(); say(t("seat.gone"), true); door().then(() => say(t("seat.gone"), true)); },
  });
}

// A stream that is refused says nothing of the reason: ask for the state once.
async function probe() {
  try {
    await send(`/api/rooms/${code}/state`);
  } catch (error) {
    if (error instanceof Refusal && error.status !== 429) {
      stream?.close();
      state = null;
      shown = "";
      head();
      say(t("seat.gone"), true);
      if (error.status === 403) door();
      else askCode();
    }
  }
}

// -- sending --------------------------------------------------------------------------

function post(kind, more, done) {
  const number = Math.max(Date.now(), (state.heard ?? 0) + 1, (waiting?.message.number ?? 0) + 1);
  waiting = { message: { kind, number, place: state.place, ...more }, done };
  deliver();
}

async function deliver() {
  const mine = waiting;
  if (!mine || mine.busy) return;
  if (mine.message.place !== state.place) { waiting = null; return; }
  mine.busy = true;
  try {
    await send(`/api/rooms/${code}/say`, mine.message);
    if (waiting === mine) waiting = null;
    say("");
    mine.done?.();
  } catch (error) {
    failed(error);
    if (error instanceof Refusal && error.why !== "too_many") waiting = null;
    else setTimeout(deliver, 1500);
  } finally {
    mine.busy = false;
  }
}

// -- what one sees ----------------------------------------------------------------------

function head() {
  document.getElementById("who").textContent = state ? `${role(state.role)} · ${state.name}` : "omnisim";
  document.getElementById("where").textContent = state ? `${firm(state.firm)} · ${stepName(state.step)}` : "";
  document.getElementById("language").textContent = t("other");
  document.title = state ? `${role(state.role)} · omnisim` : "omnisim";
}

function tick() {
  const clock = document.getElementById("clock");
  if (!state || state.phase !== "open" || (ends === null && !state.paused)) { clock.textContent = ""; return; }
  if (state.paused) { clock.textContent = t("trainer.pause"); return; }
  const left = (ends - Date.now()) / 1000;
  clock.textContent = left > 0 ? t("seat.time", { time: time(left) }) : t("seat.over_time");
}

function show() {
  head();
  tick();
  const wanted = [state.place, state.phase, state.role, language(), state.step.kind].join("|");
  const sections = [];
  const played = state.step.kind === "round" || state.step.kind === "practice";
  if (state.paused) sections.push(el("p", { class: "banner" }, t("seat.paused")));
  if (state.step.kind === "lobby") sections.push(el("div", { class: "card" }, el("p", {}, t("seat.waiting"))));
  if (played && state.phase === "running") sections.push(el("div", { class: "card" }, el("p", { class: "big" }, t("seat.running"))));
  if (played && state.phase === "told") sections.push(el("div", { class: "card" }, el("p", {}, el("strong", {}, t("seat.told")))));
  if (played && state.phase === "open") {
    if (shown !== wanted || !form) form = buildForm();
    form?.update?.();
    if (form) sections.push(form.place);
  } else if (state.step.kind === "guess") {
    if (shown !== wanted || !form) form = buildGuess();
    form.update();
    sections.push(form.place);
  } else form = null;
  if (shown && shown !== wanted) window.scrollTo(0, 0); // something new has begun
  shown = wanted;
  if (state.step.kind === "reveal") sections.push(reveal());
  else if (state.step.kind !== "guess") sections.push(...reports());
  sections.push(team());
  place(sections);
}

// Puts sections in their place without taking the focus from one that stays.
function place(sections) {
  const keep = sections.filter(Boolean);
  const focused = document.activeElement;
  const inside = keep.find((section) => section.contains(focused));
  if (!inside || inside.parentNode !== page) { fill(page, keep); return; }
  for (const child of [...page.children]) if (child !== inside) child.remove();
  const nth = keep.indexOf(inside);
  inside.before(...keep.slice(0, nth));
  inside.after(...keep.slice(nth + 1));
}

const draftKey = () => `omnisim ${code} ${state.place} ${state.firm} ${state.role}`;

function buildForm() {
  const sheet = state.sheet;
  if (!sheet && !state.weight) {
    return { place: el("div", { class: "card" }, el("p", {}, t(`sentence.${state.step.act}`)), el("p", {}, t("seat.nothing"))) };
  }
  const place = el("section", { class: "card" });
  place.append(el("p", { class: "soft" }, state.step.kind === "practice" ? t("trainer.talk.practice") : t(`sentence.${state.step.act}`)));
  const updates = [];
  if (state.weight) updates.push(weigher(place));
  if (sheet) updates.push(decider(place));
  return { place, update: () => updates.forEach((update) => update()) };
}

function decider(place) {
  const asks = state.sheet.asks;
  const inputs = new Map();
  const draft = JSON.parse(localStorage.getItem(draftKey()) ?? "{}");
  let dirty = Object.keys(draft).length > 0;
  const budget = el("p", {});
  const sum = el("p", { "aria-live": "polite" });
  const bar = el("i");
  const status = el("p", { class: "small", role: "status" });
  const button = el("button", { class: "main wide" }, t(asks ? "seat.send_ask" : "seat.send"));
  const planned = () => [...inputs.values()].reduce((all, { field }) => all + (Number(field.value) || 0), 0);

  const list = el("div", {});
  for (const { name, last, typed } of state.sheet.media) {
    const value = draft[name] ?? typed ?? last;
    const field = el("input", { type: "number", id: `m-${name}`, min: 0, step: 1, inputmode: "numeric", value, required: true });
    const slider = el("input", { type: "range", min: 0, max: Math.max(state.sheet.limit, value), step: 1000, value, "aria-label": medium(name) });
    const changed = (from) => {
      if (from === slider) field.value = slider.value;
      else slider.value = field.value;
      dirty = true;
      localStorage.setItem(draftKey(), JSON.stringify(Object.fromEntries([...inputs].map(([key, one]) => [key, Number(one.field.value) || 0]))));
      update();
    };
    field.addEventListener("input", () => changed(field));
    slider.addEventListener("input", () => changed(slider));
    inputs.set(name, { field, slider });
    list.append(el("div", { class: "medium" },
      el("div", { class: "spread" }, el("label", { for: `m-${name}` }, medium(name)), field),
      slider, el("div", { class: "small soft" }, t("seat.last", { money: money(last) }))));
  }
  const submit = (event) => {
    event.preventDefault();
    const amounts = Object.fromEntries([...inputs].map(([name, { field }]) => [name, Math.round(Number(field.value) || 0)]));
    post(asks ? "ask" : "decide", { amounts }, () => { dirty = false; localStorage.removeItem(draftKey()); update(); });
  };
  place.append(el("form", { onsubmit: submit, novalidate: true },
    el("h2", {}, t(asks ? "seat.ask" : "seat.decision")), budget, list,
    el("div", { class: "sum", "aria-hidden": "true" }, bar), sum, button, status));

  function update() {
    const sheet = state.sheet;
    if (!sheet) return;
    const act = state.step.act;
    const key = asks ? "anything" : act === "silo" ? "budget" : act === "central" ? "company" : "pot";
    budget.textContent = t(`seat.${key}`, { money: money(sheet.limit) });
    for (const { name, typed, last } of sheet.media) {
      const { field, slider } = inputs.get(name);
      slider.max = Math.max(sheet.limit, Number(field.value) || 0);
      if (!dirty && document.activeElement !== field) { field.value = typed ?? last; slider.value = field.value; }
    }
    const all = planned(), over = all - sheet.limit;
    const rest = over > 0 ? t("seat.over", { money: money(over) }) : t("seat.left", { money: money(-over) });
    sum.textContent = `${t("seat.planned", { planned: money(all), limit: money(sheet.limit) })} · ${rest}`;
    sum.className = over > 0 ? "bad" : "";
    bar.style.width = `${Math.min(100, (100 * all) / Math.max(1, sheet.limit))}%`;
    bar.className = over > 0 ? "over" : "";
    button.disabled = over > 0 || state.paused;
    status.textContent = sheet.sent && !dirty ? t("seat.sent") : asks ? t("seat.unsent") : `${t("seat.unsent")} ${t("seat.keeps")}`;
    status.className = sheet.sent && !dirty ? "good" : "small soft";
  }
  return update;
}

function weigher(place) {
  const slider = el("input", { type: "range", id: "weight", min: 0, max: 100, step: 10, value: Math.round((state.weight.mine ?? 0) * 100) });
  const says = el("p", { class: "small" });
  slider.addEventListener("change", () => post("weigh", { weight: Number(slider.value) }));
  place.append(el("h2", {}, el("label", { for: "weight" }, t("seat.weight"))), slider,
    el("div", { class: "spread small soft" }, el("span", {}, t("seat.weight_own")), el("span", {}, t("seat.weight_company"))), says);
  return () => { if (state.weight) says.textContent = t("seat.weight_team", { percent: percent(state.weight.team) }); };
}

function buildGuess() {
  const place = el("section", { class: "card" });
  const claims = el("input", { type: "number", id: "g-claims", min: 0, max: 1000, step: 1, inputmode: "numeric", required: true, value: state.guess.claims });
  const costs = new Map(state.guess.media.map((name) => [name, el("input", {
    type: "number", id: `g-${name}`, min: 0, max: 100000, step: 1, inputmode: "numeric", value: state.guess.costs[name],
  })]));
  const status = el("p", { class: "good", role: "status" });
  const submit = (event) => {
    event.preventDefault();
    const said = Object.fromEntries([...costs].filter(([, field]) => field.value !== "").map(([name, field]) => [name, Math.round(Number(field.value))]));
    post("guess", { claims: Math.round(Number(claims.value)), costs: said });
  };
  place.append(el("form", { onsubmit: submit }, el("h2", {}, t("seat.guess")),
    el("p", {}, el("label", { for: "g-claims" }, t("seat.guess_claims")), " ", claims),
    [...costs].map(([name, field]) => el("p", {}, el("label", { for: `g-${name}` }, t("seat.guess_cost", { medium: medium(name) })), " ", field)),
    el("button", { class: "main wide" }, t("seat.guess_send")), status));
  return { place, update: () => { status.textContent = state.guess?.claims !== null && state.guess !== null ? t("seat.guess_sent") : ""; } };
}

function label(quarter) {
  const faint = quarter.when === "before";
  return { text: faint ? t("last_year_short", { nth: quarter.nth + 1 }) : t("this_year", { nth: quarter.nth + 1 }), faint };
}

function reports() {
  const quarters = state.quarters;
  const latest = quarters[quarters.length - 1];
  if (!latest) return [];
  const made = [];
  const latestName = latest.when === "before" ? t("last_year", { nth: latest.nth + 1 }) : t("quarter", { nth: latest.nth + 1 });
  if (latest.bonus !== null) {
    made.push(el("section", { class: "card" }, el("h2", {}, t("seat.bonus")),
      el("p", { class: "bonus" }, money(latest.bonus)), el("p", { class: "small soft" }, t("seat.bonus_note"))));
  }
  if (Object.keys(state.tests).length) made.push(tests());
  else if (state.weight) made.push(el("p", { class: "banner" }, t("seat.tests_wait")));
  if (state.role === "omnichannel_manager" && state.step.act === "central") made.push(requests());
  const names = Object.keys(latest.media);
  if (names.length) {
    const all = new Set(names.flatMap((name) => Object.keys(latest.media[name])));
    const columns = [...all].filter((name) => !["contacts", "clicks"].includes(name)); // paper shows them, too
    const orders = columns.includes("seen") ? "seen" : columns.includes("claims") ? "claims" : null;
    const row = (name) => {
      const its = latest.media[name];
      return el("tr", {}, el("th", { scope: "row" }, medium(name)), columns.map((column) => el("td", {}, compact(its[column], column))),
        orders ? el("td", {}, its[orders] > 0 ? money(its.spent / its[orders], 1) : "–") : null);
    };
    const sum = (column) => names.reduce((whole, name) => whole + latest.media[name][column], 0);
    made.push(el("section", { class: "card" }, el("h2", {}, `${t("seat.reports")} · ${latestName}`),
      el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("seat.reports") }, el("table", {},
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t("column.medium")), columns.map((column) => el("th", { scope: "col" }, t(column === "claims" ? "column.claims_short" : `column.${column}`))),
          orders ? el("th", { scope: "col" }, t("column.per_order")) : null)),
        el("tbody", {}, names.map(row)),
        el("tfoot", {}, el("tr", {}, el("th", { scope: "row" }, t("column.total")), columns.map((column) => el("td", {}, compact(sum(column), column))),
          orders ? el("td", {}, sum(orders) > 0 ? money(sum("spent") / sum(orders), 1) : "–") : null)))),
      orders ? chart(quarters, orders) : null));
  }
  if (Object.keys(latest.company).length) made.push(company(quarters));
  return made;
}

const compact = (x, column) => (column === "spent" ? shortMoney(x) : short(x));

function chart(quarters, column) {
  const values = quarters.map((quarter) => Object.values(quarter.media).reduce((all, its) => all + (its[column] ?? 0), 0));
  return el("figure", { style: "margin-top:.8rem" }, el("figcaption", { class: "small" }, t(`column.${column}`)),
    bars(values, quarters.map(label), colour(state.team.map((one) => one.role), state.role), t(`column.${column}`)));
}

function company(quarters) {
  const columns = ["orders", "spent", "contribution"];
  return el("section", { class: "card" }, el("h2", {}, t("seat.company_books")),
    el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("seat.company_books") }, el("table", {},
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t("column.quarter")), columns.map((name) => el("th", { scope: "col" }, t(name === "orders" ? "column.orders" : `column.${name}_m`))))),
      el("tbody", {}, quarters.map((quarter) => el("tr", {}, el("th", { scope: "row" }, label(quarter).text),
        columns.map((name) => el("td", {}, name === "orders" ? short(quarter.company[name]) : millions(quarter.company[name])))))))));
}

function tests() {
  return el("section", { class: "card" }, el("h2", {}, t("seat.tests")), el("table", {}, el("tbody", {},
    Object.entries(state.tests).map(([name, cost]) => el("tr", {}, el("th", { scope: "row" }, medium(name)),
      el("td", {}, cost === null ? t("seat.no_order") : money(cost)))))), el("p", { class: "small soft" }, t("seat.tests_note")));
}

function requests() {
  const asked = Object.entries(state.asked);
  if (!asked.length) return el("section", { class: "card" }, el("h2", {}, t("seat.asked")), el("p", { class: "soft" }, t("seat.asked_none")));
  return el("section", { class: "card" }, el("h2", {}, t("seat.asked")), el("table", {}, el("tbody", {},
    asked.flatMap(([who, amounts]) => Object.entries(amounts).map(([name, euros], nth) => el("tr", {},
      el("th", { scope: "row" }, nth ? "" : role(who)), el("td", {}, medium(name)), el("td", {}, money(euros))))))));
}

function reveal() {
  const its = state.reveal;
  const key = state.role === "omnichannel_manager" ? "seat.reveal_firm" : "seat.reveal_own";
  return el("section", { class: "card" }, el("p", { class: "big" }, t("seat.reveal")),
    its?.claims === undefined ? null : el("p", {}, t(key, { claims: number(its.claims), caused: number(its.caused) })));
}

function team() {
  const leave = () => { if (confirm(t("seat.leave_sure"))) post("leave", {}); };
  return el("section", { class: "card" }, el("h2", {}, `${t("seat.team")} · ${firm(state.firm)}`),
    state.team.map((one) => el("div", { class: "spread" }, el("span", {}, role(one.role)),
      el("span", { class: one.name ? "" : "soft" }, one.name || t("computer"), one.sent ? el("span", { class: "tick" }, " ✓") : null))),
    el("p", {}), el("button", { onclick: leave }, t("seat.leave")));
}

// -- the start --------------------------------------------------------------------------

document.getElementById("language").addEventListener("click", async () => {
  try {
    await learn(language() === "de" ? "en" : "de");
    if (state) show();
    else { head(); say(""); if (code) door(); else askCode(); }
  } catch (error) { failed(error); }
});
setInterval(tick, 500);
await learn(document.documentElement.lang === "de" ? "de" : "en");
head();
if (code) door();
else askCode();
