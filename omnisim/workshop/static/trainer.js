// The trainer's screen: opens a room, leads through its steps, types for people on paper, reveals.
import { scene } from "./charts.js";
import { el, fill, firm, language, medium, money, number, role, short, stepName, t, time } from "./words.js";
import { learn, listen, Refusal, send } from "./wire.js";

const $ = (id) => document.getElementById(id);
const [page, notice, bar, dialog] = [$("page"), $("notice"), $("bar"), $("dialog")];
const local = /^(127\.|localhost)/;
let code = new URLSearchParams(location.search).get("room") ?? "";
let state = null;
let stream = null;
let ends = null;
let address = "";
let revealed = null;
let updates = []; // of the sheets that are being typed in
let look = { firm: 0, act: "silo" };

const say = (text, bad = false) => fill(notice, text ? el("p", { class: bad ? "banner bad" : "banner" }, text) : null);
const failed = (error) => say(error instanceof Refusal ? error.text : t("trainer.lost"), true);

async function lead(message) {
  try {
    await send(`/api/rooms/${code}/lead`, { place: state.place, ...message });
    say("");
    return true;
  } catch (error) {
    failed(error);
    return false;
  }
}

// -- choosing a room ----------------------------------------------------------------------

async function choose() {
  drawn = "";
  head();
  let found;
  try {
    found = await send("/api/rooms");
  } catch (error) {
    failed(error);
    setTimeout(choose, 1500);
    return;
  }
  address = found.address;
  say(found.ready ? "" : t("trainer.warming"));
  const submit = async (event) => {
    event.preventDefault();
    const typed = new FormData(event.target);
    event.target.querySelector("button").disabled = true;
    try {
      const made = await send("/api/rooms", { form: typed.get("form"), firms: Number(typed.get("firms")), practice: typed.has("practice") });
      enter(made.code);
    } catch (error) {
      event.target.querySelector("button").disabled = false;
      failed(error);
    }
  };
  fill(bar);
  fill(page, el("div", { class: "stage" },
    el("form", { class: "card", onsubmit: submit }, el("h2", {}, t("trainer.new")),
      el("fieldset", { class: "choices", style: "border:0;padding:0;margin:0 0 .8rem" }, el("legend", {}, t("trainer.form")),
        ["short", "full"].map((name, nth) => el("label", {}, el("input", { type: "radio", name: "form", value: name, checked: !nth }), t(`trainer.${name}`)))),
      el("p", { class: "row" }, el("label", { for: "firms" }, t("trainer.firms")), el("input", { type: "number", id: "firms", name: "firms", min: 1, max: 8, value: 1, required: true })),
      el("p", {}, el("label", { class: "row" }, el("input", { type: "checkbox", name: "practice" }), t("trainer.practice"))),
      el("button", { class: "main" }, t("trainer.open"))),
    found.rooms.length ? el("section", { class: "card" }, el("h2", {}, t("trainer.rooms")), found.rooms.map((room) => el("p", { class: "row" },
      el("span", { class: "code" }, room.code), el("span", { class: "soft" }, `${t(`trainer.${room.form}`)} · ${t("trainer.at", { step: room.step + 1, steps: room.steps })}`),
      el("button", { onclick: () => enter(room.code) }, t("trainer.resume_room"))))) : null));
  if (!found.ready) setTimeout(warmed, 1000);
}

async function warmed() {
  if (state) return;
  if ((await send("/api/rooms").catch(() => ({}))).ready) say("");
  else setTimeout(warmed, 1000);
}

async function enter(which) {
  code = which;
  history.replaceState(null, "", `/trainer?room=${code}`);
  if (!address) address = (await send("/api/rooms").catch(() => ({ address: "" }))).address;
  stream?.close();
  stream = listen(`/api/rooms/${code}/led-events`, {
    state: (told) => {
      say("");
      const before = state;
      state = told;
      ends = told.left === null || told.paused ? null : Date.now() + told.left * 1000;
      if (told.step.kind === "reveal" && (!revealed || before?.version !== told.version)) unveil();
      show();
    },
    lost: () => { say(`${t("trainer.lost")} ${t("trainer.restarted")}`, true); probe(); },
    elsewhere: () => say(t("seat.elsewhere"), true),
    gone: choose,
  });
}

async function probe() {
  try {
    await send(`/api/rooms/${code}/led`);
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) { stream?.close(); state = null; history.replaceState(null, "", "/trainer"); choose(); }
  }
}

async function unveil() {
  try {
    revealed = await send(`/api/rooms/${code}/reveal`);
    if (state.step.kind === "reveal") show();
  } catch (error) { failed(error); }
}

// -- the room ---------------------------------------------------------------------------------

function head() {
  $("title").textContent = state ? stepName(state.step) + (state.attempt > 1 ? ` (${t("trainer.rewound", { n: state.attempt })})` : "") : t("title");
  $("code").textContent = state ? state.code : "";
  $("language").textContent = t("other");
}

function tick() {
  const clock = $("clock");
  if (!state || state.phase !== "open") { clock.textContent = ""; return; }
  if (state.paused) { clock.textContent = t("trainer.pause"); return; }
  clock.textContent = ends === null ? "" : time((ends - Date.now()) / 1000);
}

const isPlayed = () => state.step.kind === "round" || state.step.kind === "practice";
const people = () => state.seats.filter((seat) => seat.taken);

let drawn = ""; // what is on the screen: nothing is built anew, under somebody's hands, without need

function show() {
  head();
  tick();
  if (dialog.open) updates.forEach((update) => update());
  const now = JSON.stringify([{ ...state, version: 0, left: 0 }, look, language(), revealed]);
  if (now === drawn) return;
  drawn = now;
  const focused = document.activeElement;
  const same = focused?.id ? `#${focused.id}` : focused?.getAttribute("aria-label") ? `[aria-label="${focused.getAttribute("aria-label")}"]` : null;
  build();
  if (same && !focused.isConnected) document.querySelector(same)?.focus();
}

function build() {
  const path = el("ol", { class: "path" }, state.programme.map((step, nth) => el("li",
    { class: nth < state.step.index ? "done" : nth === state.step.index ? "now" : "", "aria-current": nth === state.step.index ? "step" : null },
    step.kind === "round" ? (step.nth === 0 || state.programme[nth - 1]?.kind !== "round" ? `${t(`plain_act.${step.act}`)} 1` : step.nth + 1) : t(`step.${step.kind}`))));
  const parts = state.step.kind === "reveal" ? [] : [path];
  if (state.step.kind === "lobby") parts.push(lobby());
  else if (state.step.kind === "reveal") parts.push(unveiled());
  else parts.push(round());
  fill(page, el("div", { class: "stage" }, parts));
  const wanted = JSON.stringify([state.step, state.phase, state.scene, state.paused, state.seconds, state.rounds, language()]);
  if (bar.dataset.shown === wanted && bar.children.length) return;
  bar.dataset.shown = wanted;
  fill(bar, buttons());
}

function lobby() {
  const alone = local.test(address.replace(/^https?:\/\//, ""));
  return el("div", { class: "lobby" },
    el("div", {}, el("p", { class: "takeaway" }, t("trainer.talk.lobby")), el("p", { class: "big" }, t("trainer.at_once")),
      alone ? el("p", { class: "soft" }, t("trainer.alone"))
        : [el("p", { class: "big" }, t("trainer.phones", { address })), el("p", { class: "soft" }, t("trainer.code")), el("p", { class: "code" }, state.code)],
      seats()),
    alone ? null : el("img", { src: `/qr/${state.code}.svg`, alt: `${address}/j/${state.code}` }));
}

function round() {
  const { kind, act } = state.step;
  const talk = t(`trainer.talk.${kind === "round" ? act : kind}`);
  const sitting = people();
  const mark = kind === "guess" ? "guessed" : "sent";
  const concerned = kind === "guess" ? sitting : sitting.filter((seat) => seat.sheet);
  const parts = [];
  if (kind === "round") parts.push(el("p", { class: "big" }, t(`sentence.${act}`)));
  if (state.phase === "running") parts.push(el("p", { class: "huge" }, t("trainer.next.running")));
  else if (state.phase === "told") parts.push(el("p", { class: "big" }, t(`trainer.told.${act}`)));
  else {
    parts.push(el("p", { class: "takeaway" }, talk));
    parts.push(concerned.length
      ? el("p", { class: "big" }, t(kind === "guess" ? "trainer.guessed" : "trainer.decided", { n: concerned.filter((seat) => seat[mark]).length, all: concerned.length }))
      : kind === "guess" ? null : el("p", { class: "soft" }, t("trainer.nobody")));
  }
  if (kind === "guess" && state.explaining) parts.push(el("p", { class: "soft" }, t("trainer.computing", { n: state.explaining })));
  return el("div", {}, parts, seats(mark));
}

function seats(mark) {
  const free = (seat) => () => { if (confirm(t("trainer.free_sure", { name: seat.name }))) lead({ kind: "free", firm: seat.firm, role: seat.role }); };
  const groups = Array.from({ length: state.firms }, (_, nth) => el("section", { class: "card" }, el("h3", {}, firm(nth)),
    state.seats.filter((seat) => seat.firm === nth).map((seat) => el("div", { class: "seatline" },
      el("span", { class: "tick" }, mark && seat[mark] ? "✓" : ""),
      el("span", { class: "who" }, el("strong", {}, role(seat.role)), " ", seat.taken ? seat.name : el("span", { class: "soft" }, t(mark && seat[mark] ? "trainer.on_paper" : "computer"))),
      seat.taken ? el("button", { onclick: free(seat), title: t("trainer.free") }, "✕", el("span", { class: "sr" }, t("trainer.free_sure", { name: seat.name }))) : el("span"))) ));
  return el("div", { class: "firms" }, groups);
}

function unveiled() {
  const name = state.scene;
  if (!revealed) return el("p", { class: "big soft" }, t("reveal.wait"));
  const tabs = el("div", { class: "row" });
  if (name !== "walk" && name !== "acts" && state.firms > 1) {
    tabs.append(el("div", { class: "tabs" }, revealed.firms.map((_, nth) => el("button", { "aria-pressed": String(look.firm === nth), onclick: () => { look.firm = nth; show(); } }, firm(nth)))));
  }
  const played = Object.keys(revealed.firms[look.firm]?.acts ?? {});
  if (name === "costs" && played.length > 1) {
    tabs.append(el("div", { class: "tabs" }, played.map((act) => el("button", { "aria-pressed": String(look.act === act), onclick: () => { look.act = act; show(); } }, t(`plain_act.${act}`)))));
  }
  return el("div", {}, el("div", { class: "row" }, el("h2", {}, t(`reveal.${name}`)), tabs), scene(name, revealed, look.firm, look.act));
}

// -- the bar of buttons -----------------------------------------------------------------------

function buttons() {
  const { kind, index } = state.step;
  const following = state.programme[index + 1];
  let main;
  if (state.phase === "running") main = el("button", { class: "main", disabled: true }, t("trainer.next.running"));
  else if (isPlayed() && state.phase === "open") main = el("button", { class: "main", id: "next", onclick: () => lead({ kind: "run" }) }, t("trainer.next.run"));
  else if (kind === "reveal") {
    const last = state.scene === "walk";
    main = el("button", { class: "main", id: "next", disabled: last, onclick: () => lead({ kind: "next" }) }, t(last ? "trainer.next.end" : "trainer.next.scene"));
  } else {
    const key = following.kind === "reveal" ? "reveal" : kind === "lobby" ? "start" : "go_on";
    main = el("button", { class: "main", id: "next", onclick: () => lead({ kind: "next" }) }, t(`trainer.next.${key}`, { step: stepName(following) }));
  }
  const left = [main];
  if (isPlayed() && state.phase === "open") left.push(el("button", { id: "pause", onclick: () => lead({ kind: state.paused ? "resume" : "pause" }) }, t(state.paused ? "trainer.resume" : "trainer.pause")));
  if ((isPlayed() && state.phase === "open") || kind === "guess") left.push(el("button", { id: "type", onclick: typing }, t("trainer.type")));
  const right = [];
  if (isPlayed() || kind === "lobby") {
    const clock = el("select", { "aria-label": t("trainer.clock"), onchange: (event) => lead({ kind: "clock", seconds: Number(event.target.value) }) },
      [0, 60, 120, 180, 300, 480].map((seconds) => el("option", { value: seconds, selected: seconds === state.seconds }, seconds ? t("trainer.minutes", { n: seconds / 60 }) : t("trainer.no_clock"))));
    right.push(el("label", { class: "row small" }, t("trainer.clock"), clock));
  }
  if (kind === "reveal") {
    right.push(el("a", { href: `/api/rooms/${code}/debrief.html?language=${language()}`, download: true }, t("trainer.debrief")),
      el("a", { href: `/api/rooms/${code}/rounds.csv`, download: true }, t("trainer.csv")));
  }
  right.push(el("a", { href: `/paper/${code}`, target: "_blank" }, t("trainer.paper")));
  if (state.rounds.length && state.phase !== "running") {
    const rewind = el("select", { "aria-label": t("trainer.rewind"), onchange: (event) => {
      const [act, nth] = event.target.value.split(" ");
      const name = stepName({ kind: "round", act, nth: Number(nth) });
      if (act && confirm(t("trainer.rewind_sure", { step: name }))) lead({ kind: "rewind", act, nth: Number(nth) });
      event.target.value = "";
    } }, el("option", { value: "" }, `${t("trainer.rewind")} …`),
    state.rounds.map(([act, nth]) => el("option", { value: `${act} ${nth}` }, stepName({ kind: "round", act, nth }))));
    right.push(rewind);
  }
  return [...left, el("span", { class: "end" }, right)];
}

// -- typing for people on paper ---------------------------------------------------------------

function typing() {
  const guesses = state.step.kind === "guess";
  const wanted = state.seats.filter((seat) => (guesses ? seat.guess : seat.sheet));
  updates = [];
  const sets = wanted.map((seat) => (guesses ? guessing(seat) : deciding(seat)));
  fill(dialog, el("div", { class: "spread" }, el("h2", {}, t("trainer.type")), el("button", { onclick: () => dialog.close() }, t("trainer.close"))),
    el("div", { class: "typing" }, sets));
  dialog.showModal();
}

function kept(form, seat, message) {
  const status = el("span", { role: "status", class: "good small" });
  form.firstChild.append(el("p", { class: "row" }, el("button", { class: "main" }, t("trainer.save")), status,
    el("button", { type: "button", onclick: () => reportOf(seat) }, t("trainer.show_seat"))));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await send(`/api/rooms/${code}/lead`, { place: state.place, firm: seat.firm, role: seat.role, ...message() });
      status.className = "good small";
      status.textContent = `✓ ${t("trainer.saved")}`;
    } catch (error) {
      status.className = "bad small";
      status.textContent = error instanceof Refusal ? error.text : t("trainer.lost");
    }
  });
  return form;
}

const title = (seat) => `${state.firms > 1 ? `${firm(seat.firm)} · ` : ""}${role(seat.role)}`;

function deciding(seat) {
  const fields = seat.sheet.media.map(({ name, last, typed }) => [name, el("input", { type: "number", min: 0, step: 1, value: typed ?? last })]);
  const sum = el("p", { class: "small" });
  const form = el("form", {}, el("fieldset", {}, el("legend", {}, `${title(seat)}${seat.sheet.asks ? ` · ${t("seat.ask")}` : ""}`),
    fields.map(([name, field]) => el("label", {}, medium(name), field)), sum));
  const update = () => {
    const now = state.seats.find((one) => one.firm === seat.firm && one.role === seat.role)?.sheet ?? seat.sheet;
    const all = fields.reduce((whole, [, field]) => whole + (Number(field.value) || 0), 0);
    sum.textContent = t("seat.planned", { planned: money(all), limit: money(now.limit) });
    sum.className = all > now.limit ? "bad small" : "small";
    const button = form.querySelector("button.main");
    if (button) button.disabled = all > now.limit;
  };
  fields.forEach(([, field]) => field.addEventListener("input", update));
  updates.push(update);
  update();
  if (state.step.act === "together") {
    const weight = el("input", { type: "number", min: 0, max: 100, step: 10, value: Math.round((seat.weight ?? 0) * 100) });
    weight.addEventListener("change", () => lead({ kind: "weigh", firm: seat.firm, role: seat.role, weight: Number(weight.value) }));
    form.firstChild.append(el("label", {}, `${t("seat.weight")} (0–100)`, weight));
  }
  return kept(form, seat, () => ({
    kind: seat.sheet.asks ? "ask" : "decide",
    amounts: Object.fromEntries(fields.map(([name, field]) => [name, Math.round(Number(field.value) || 0)])),
  }));
}

function guessing(seat) {
  const claims = el("input", { type: "number", min: 0, max: 1000, step: 1, required: true, value: seat.guess.claims });
  const fields = seat.guess.media.map((name) => [name, el("input", { type: "number", min: 0, max: 100000, step: 1, value: seat.guess.costs[name] })]);
  const form = el("form", {}, el("fieldset", {}, el("legend", {}, title(seat)), el("label", {}, t("column.claims"), " / 100", claims),
    fields.map(([name, field]) => el("label", {}, medium(name), " EUR", field))));
  return kept(form, seat, () => ({
    kind: "guess",
    claims: Math.round(Number(claims.value)),
    costs: Object.fromEntries(fields.filter(([, field]) => field.value !== "").map(([name, field]) => [name, Math.round(Number(field.value))])),
  }));
}

function reportOf(seat) {
  const latest = seat.quarters[seat.quarters.length - 1];
  fill(dialog, el("div", { class: "spread" }, el("h2", {}, title(seat)), el("button", { onclick: () => dialog.close() }, t("trainer.close"))), table(latest));
}

function table(quarter) {
  const names = Object.keys(quarter.media);
  const columns = names.length ? Object.keys(quarter.media[names[0]]) : [];
  return el("div", {},
    quarter.bonus === null ? null : el("p", { class: "bonus" }, `${t("seat.bonus")}: ${money(quarter.bonus)}`),
    names.length ? el("table", {}, el("thead", {}, el("tr", {}, el("th", {}, t("column.medium")), columns.map((name) => el("th", {}, t(`column.${name}`))))),
      el("tbody", {}, names.map((name) => el("tr", {}, el("th", { scope: "row" }, medium(name)),
        columns.map((column) => el("td", {}, column === "spent" ? money(quarter.media[name][column]) : number(quarter.media[name][column]))))))) : null,
    Object.keys(quarter.company).length ? el("p", { class: "big" }, Object.entries(quarter.company).map(([name, value]) => `${t(`column.${name}`)} ${short(value)}`).join(" · ")) : null);
}

// -- the start --------------------------------------------------------------------------------

$("language").addEventListener("click", async () => {
  await learn(language() === "de" ? "en" : "de").catch(failed);
  if (state) show();
  else choose();
});
setInterval(tick, 500);
await learn(document.documentElement.lang === "de" ? "de" : "en");
if (code) enter(code);
else choose();
