// Pictures as plain SVG. Colours tell departments apart also for the colour-blind.
import { el, fill, firm, medium, money, number, percent, role, short, shortMoney, t } from "./words.js";

const NS = "http://www.w3.org/2000/svg";

function draw(name, attributes, ...children) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return made;
}

const word = (x, y, text, more = {}) => draw("text", { x, y, "dominant-baseline": "middle", ...more }, String(text));
const line = (x1, y1, x2, y2, more = {}) => draw("line", { x1, y1, x2, y2, stroke: "#8793a3", ...more });
const box = (x, y, width, height, more = {}) => draw("rect", { x, y, width: Math.max(0, width), height, ...more });

function picture(width, height, label, ...children) {
  return draw("svg", { viewBox: `0 0 ${width} ${height}`, width, role: "img", "aria-label": label }, children);
}

export const colour = (roles, name) => `var(--c${Math.max(0, roles.indexOf(name)) % 6})`;

function framed(says, svg) {
  return el("figure", {}, el("figcaption", { class: "takeaway" }, says), svg);
}

// Who claims what: the firm, then every department.
export function claims(reveal, nth) {
  const its = reveal.firms[nth];
  const act = its?.acts.silo;
  if (!act?.caused) return el("p", { class: "big soft" }, t("reveal.wait"));
  const departments = Object.keys(reveal.owned);
  const claimed = departments.reduce((sum, name) => sum + act.claims[name], 0);
  const worst = departments
    .filter((name) => act.claims[name] > act.caused[name])
    .sort((a, b) => act.claims[b] / Math.max(1, act.caused[b]) - act.claims[a] / Math.max(1, act.caused[a]))[0];
  const sentences = [
    t(claimed > act.without ? "reveal.claims_sum" : "reveal.claims_less", { claims: short(claimed), caused: short(act.without) }),
    worst ? t("reveal.claims_says", { role: role(worst), claims: short(act.claims[worst]), caused: short(act.caused[worst]) }) : "",
  ];
  const guesses = Object.values(its.guesses.claims).map((said) => (said / 100) * act.orders);
  const most = Math.max(act.orders, claimed, ...guesses.filter((said) => said < act.orders * 3), 1);
  const left = 390, width = 1400, scale = (width - left - 130) / most;
  const rows = [];
  let y = 30;
  const bar = (label, value, fillWith, height = 34) => {
    rows.push(word(left - 14, y + height / 2, label, { "text-anchor": "end", "font-size": 21 }));
    rows.push(box(left, y, value * scale, height, { fill: fillWith }));
    rows.push(word(left + value * scale + 10, y + height / 2, short(value), { "font-size": 22, "font-weight": 600 }));
    y += height + 8;
  };
  bar(t("reveal.firm_orders"), act.orders, "var(--ink)");
  const guessed = y;
  bar(t("reveal.claimed"), claimed, "var(--claimed)");
  for (const said of guesses) {
    const x = left + Math.min(said, most) * scale;
    rows.push(draw("path", { d: `M${x - 9},${guessed - 6} h18 l-9,14 z`, fill: "#e69f00", stroke: "#1c2430" }, draw("title", {}, t("reveal.guess"))));
  }
  bar(t("reveal.caused"), act.without, "var(--good)");
  y += 22;
  for (const name of departments) {
    const tint = colour(reveal.roles, name);
    rows.push(word(left - 14, y + 30, role(name), { "text-anchor": "end", "font-size": 24, "font-weight": 600 }));
    rows.push(box(left, y, act.claims[name] * scale, 28, { fill: tint, opacity: 0.35 }));
    rows.push(word(left + act.claims[name] * scale + 10, y + 14, `${short(act.claims[name])} ${t("reveal.claimed_short")}`, { "font-size": 20 }));
    const caused = Math.max(0, act.caused[name]);
    rows.push(box(left, y + 31, caused * scale, 28, { fill: tint }));
    rows.push(word(left + caused * scale + 10, y + 45, `${short(act.caused[name])} ${t("reveal.caused_short")}`, { "font-size": 20, "font-weight": 600 }));
    y += 76;
  }
  if (guesses.length) rows.push(word(left, y + 8, `▼ ${t("reveal.guess")}`, { "font-size": 18 }));
  return framed(sentences.filter(Boolean).join(" "), picture(width, y + 24, sentences.join(" "), rows));
}

// Money against what the next order costs, by medium.
export function costs(reveal, nth, actName) {
  const its = reveal.firms[nth];
  const act = its?.acts[actName];
  if (!act?.media) return el("p", { class: "big soft" }, t("reveal.wait"));
  const owners = Object.entries(reveal.owned).flatMap(([name, owned]) => owned.map((one) => [one, name])).filter(([one]) => act.media[one].spent >= 1);
  // What is said of media leaves out the very small ones, whose effects are mostly luck.
  const heavy = owners.filter(([name]) => act.media[name].spent > 0.01 * owners.reduce((sum, [one]) => sum + act.media[one].spent, 0));
  const known = heavy.filter(([name]) => act.media[name].cost !== null);
  const sorted = [...known].sort((a, b) => act.media[a[0]].cost - act.media[b[0]].cost);
  const none = heavy.filter(([name]) => act.media[name].cost === null)[0];
  const cheap = sorted[0], dear = sorted[sorted.length - 1];
  let says = "";
  if (cheap && none) {
    says = t("reveal.costs_none", { dear: medium(none[0]), cheap: medium(cheap[0]), low: money(act.media[cheap[0]].cost) });
  } else if (cheap && dear) {
    says = t("reveal.costs_says", {
      cheap: medium(cheap[0]), low: money(act.media[cheap[0]].cost), dear: medium(dear[0]), high: money(act.media[dear[0]].cost),
    });
  }
  const middle = sorted.length ? act.media[sorted[Math.floor(sorted.length / 2)][0]].cost : 50;
  const most = Math.min(Math.max(60, 3.5 * middle), Math.max(60, ...sorted.map(([name]) => act.media[name].cost)));
  const spent = Math.max(...owners.map(([name]) => act.media[name].spent), 1);
  const width = 1400, label = 330, axis = label + 330, right = width - axis - 120;
  const rows = [
    word(axis - 40, 14, t("reveal.spend_axis"), { "text-anchor": "end", "font-size": 18 }),
    word(axis, 14, t("reveal.cost_axis"), { "font-size": 18 }),
  ];
  let y = 34, last = "";
  for (const [name, owner] of owners) {
    if (last && owner !== last) { rows.push(line(0, y + 2, width, y + 2, { stroke: "#d5dae1" })); y += 10; }
    const { spent: euros, cost } = act.media[name], tint = colour(reveal.roles, owner);
    const wide = (euros / spent) * 210;
    rows.push(word(0, y + 18, medium(name), { "font-size": 21, style: `fill:${tint}` }));
    rows.push(box(axis - 40 - wide, y + 5, wide, 26, { fill: tint, opacity: 0.4 }));
    rows.push(word(axis - 50 - wide, y + 18, shortMoney(euros), { "text-anchor": "end", "font-size": 18 }));
    if (cost === null) {
      rows.push(box(axis, y + 5, right, 26, { fill: "none", stroke: tint, "stroke-width": 2, "stroke-dasharray": "8 6" }));
      rows.push(word(axis + right - 14, y + 18, t("seat.no_order"), { "text-anchor": "end", "font-size": 18 }));
    } else {
      const long = (Math.min(cost, most) / most) * right;
      rows.push(box(axis, y + 5, long, 26, { fill: tint }));
      if (cost > most) rows.push(word(axis + long - 14, y + 18, "»", { "text-anchor": "end", "font-size": 24, style: "fill:#fff" }));
      rows.push(word(axis + long + 10, y + 18, money(cost), { "font-size": 20, "font-weight": 600 }));
    }
    const said = actName === "silo" ? its.guesses.costs[name] : undefined;
    if (said !== undefined) {
      const x = axis + (Math.min(said, most) / most) * right;
      rows.push(draw("path", { d: `M${x - 8},${y} h16 l-8,13 z`, fill: "#e69f00", stroke: "#1c2430" }, draw("title", {}, `${t("reveal.guess")}: ${money(said)}`)));
    }
    y += 40;
    last = owner;
  }
  rows.push(line(axis, 26, axis, y, { stroke: "#1c2430", "stroke-width": 2 }));
  if (Object.keys(its.guesses.costs).length) rows.push(word(axis, y + 16, `▼ ${t("reveal.guess")}`, { "font-size": 18 }));
  return framed(says, picture(width, y + 30, says, rows));
}

// Each act beside the best that was found, all teams and the computer alone.
export function acts(reveal) {
  const names = ["silo", "central", "together"];
  const played = names.filter((name) => reveal.firms.some((its) => its.acts[name]));
  const points = [reveal.stay, reveal.best, ...names.map((name) => reveal.computer[name])];
  for (const its of reveal.firms) for (const act of Object.values(its.acts)) points.push(act.contribution);
  const known = points.filter((x) => x !== null && x !== undefined);
  if (reveal.best === null || !known.length) return el("p", { class: "big soft" }, t("reveal.wait"));
  const says = played.map((name) => {
    const gains = reveal.firms.map((its) => its.acts[name]?.contribution).filter((gain) => gain !== undefined);
    const [worst, best] = [Math.min(...gains), Math.max(...gains)].map((gain) => percent(gain / reveal.best, 1));
    if (worst !== best) return t("reveal.acts_range", { act: t(`plain_act.${name}`), low: worst, high: best });
    const gap = reveal.best - gains[0];
    if (gap <= 0) return t("reveal.acts_more", { act: t(`plain_act.${name}`) });
    return t("reveal.acts_says", { act: t(`plain_act.${name}`), money: shortMoney(gap), percent: best });
  });
  const low = Math.min(...known), high = Math.max(...known), pad = (high - low || 1) * 0.08;
  const width = 1400, left = 220, right = width - 60;
  const at = (x) => left + ((x - low + pad) / (high - low + 2 * pad)) * (right - left);
  const rows = [];
  const foot = 40 + names.length * 110;
  for (const [label, value, tint] of [["stay", reveal.stay, "#8793a3"], ["best", reveal.best, "var(--good)"]]) {
    if (value === null) continue;
    rows.push(line(at(value), 30, at(value), foot, { stroke: tint, "stroke-width": 3, "stroke-dasharray": label === "stay" ? "6 6" : "none" }));
    const end = at(value) > width - 200 ? "end" : at(value) < left + 100 ? "start" : "middle";
    rows.push(word(at(value), 14, t(`reveal.${label}`), { "text-anchor": end, "font-size": 20 }));
    rows.push(word(at(value), foot + 18, shortMoney(value), { "text-anchor": end, "font-size": 18 }));
  }
  names.forEach((name, nth) => {
    const y = 95 + nth * 110;
    rows.push(word(0, y, t(`plain_act.${name}`), { "font-size": 26, "font-weight": 600 }));
    rows.push(line(left, y, right, y, { stroke: "#d5dae1" }));
    const machine = reveal.computer[name];
    if (machine !== null) {
      const x = at(machine);
      rows.push(draw("path", { d: `M${x},${y - 15} l15,15 l-15,15 l-15,-15 z`, fill: "#fff", stroke: "#1c2430", "stroke-width": 3 },
        draw("title", {}, `${t("reveal.control")}: ${money(machine)}`)));
      rows.push(word(x, y + 32, percent(machine / reveal.best, 1), { "text-anchor": "middle", "font-size": 17 }));
    }
    const placed = [];
    reveal.firms.forEach((its, which) => {
      const act = its.acts[name];
      if (!act) return;
      const x = at(act.contribution), beside = placed.filter((other) => Math.abs(other - x) < 26).length;
      placed.push(x);
      rows.push(draw("circle", { cx: x, cy: y, r: 15, fill: "var(--act)", opacity: 0.7 }, draw("title", {}, `${firm(which)}: ${money(act.contribution)}`)));
      rows.push(word(x + beside * 15, y - 27, which + 1, { "text-anchor": "middle", "font-size": 18, "font-weight": 600 }));
    });
  });
  rows.push(draw("circle", { cx: left + 10, cy: foot + 52, r: 10, fill: "var(--act)" }), word(left + 28, foot + 52, t("reveal.teams"), { "font-size": 19 }));
  rows.push(draw("path", { d: `M${left + 260},${foot + 41} l11,11 l-11,11 l-11,-11 z`, fill: "#fff", stroke: "#1c2430", "stroke-width": 2 }), word(left + 280, foot + 52, t("reveal.control"), { "font-size": 19 }));
  const figure = framed(says.join(" "), picture(width, foot + 74, says.join(" "), rows));
  figure.append(el("p", { class: "soft" }, t("reveal.control_note")));
  return figure;
}

// One customer's half year, on the lanes of all departments.
export function walk(reveal) {
  const found = reveal.walk;
  if (!found) return el("p", { class: "big soft" }, t("reveal.wait"));
  const owners = Object.entries(reveal.owned).flatMap(([name, owned]) => owned.map((one) => [one, name]));
  const met = found.events.filter((event) => event.kind === "contact" || event.kind === "click");
  const lanes = owners.filter(([name]) => met.some((event) => event.lane === name));
  const orders = found.events.filter((event) => event.kind === "order");
  const contacts = met.reduce((sum, event) => sum + event.count, 0);
  const says = t("reveal.walk_says", {
    contacts: number(contacts), media: lanes.length, roles: new Set(lanes.map(([, owner]) => owner)).size, orders: orders.length,
  });
  const width = 1400, left = 330, right = width - 20, at = (day) => left + (day / found.days) * (right - left);
  const rows = [];
  let y = 30, last = "";
  const foot = 40 + lanes.length * 40 + new Set(lanes.map(([, owner]) => owner)).size * 10 + 60;
  for (const event of orders) rows.push(line(at(event.day), 10, at(event.day), foot - 10, { stroke: "#e69f00", "stroke-width": 3 }));
  for (const [name, owner] of lanes) {
    if (last && owner !== last) y += 10;
    const tint = colour(reveal.roles, owner);
    rows.push(word(0, y, owner === last ? "" : role(owner), { "font-size": 17, "font-weight": 600, style: `fill:${tint}` }));
    rows.push(word(left - 14, y, medium(name), { "text-anchor": "end", "font-size": 17 }));
    rows.push(line(left, y, right, y, { stroke: "#e3e8ee" }));
    for (const event of met.filter((one) => one.lane === name)) {
      const r = event.kind === "click" ? 8 : Math.min(8, 3 + event.count);
      rows.push(draw("circle", { cx: at(event.day), cy: y, r, fill: event.kind === "click" ? tint : "#fff", stroke: tint, "stroke-width": 2 }));
    }
    y += 40;
    last = owner;
  }
  y += 14;
  rows.push(word(0, y, t("reveal.shops"), { "font-size": 17, "font-weight": 600 }));
  rows.push(line(left, y, right, y, { stroke: "#8793a3" }));
  for (const event of found.events) {
    if (event.kind === "touchpoint") rows.push(box(at(event.day) - 4, y - 8, 8, 16, { fill: "#56606e" }));
    if (event.kind === "order") rows.push(word(at(event.day), y - 1, "★", { "text-anchor": "middle", "font-size": 30, style: "fill:#b97f00" }));
  }
  for (let week = 0; week * 7 < found.days; week += 4) {
    rows.push(word(at(week * 7), y + 32, t("reveal.week", { n: week + 1 }), { "font-size": 15 }));
  }
  rows.push(word(left, y + 62, `○ ${t("reveal.contact")}    ● ${t("reveal.click")}    ▮ ${t("reveal.visit")}    ★ ${t("reveal.order")}`, { "font-size": 18, style: "white-space:pre" }));
  return framed(says, picture(width, y + 80, says, rows));
}

// A few quarters as bars, for a phone.
export function bars(values, labels, tint, title) {
  const width = 340, height = 120, most = Math.max(...values, 1), each = width / values.length;
  const rows = values.flatMap((value, nth) => {
    const high = (value / most) * (height - 44);
    return [
      box(nth * each + 4, height - 22 - high, each - 8, high, { fill: tint, opacity: labels[nth].faint ? 0.45 : 1, rx: 2 }),
      word(nth * each + each / 2, height - 30 - high, short(value), { "text-anchor": "middle", "font-size": 11 }),
      word(nth * each + each / 2, height - 8, labels[nth].text, { "text-anchor": "middle", "font-size": 11 }),
    ];
  });
  return picture(width, height, `${title}: ${values.map((value, nth) => `${labels[nth].text} ${number(value)}`).join(", ")}`, rows);
}

export function scene(name, reveal, nth, actName) {
  if (name === "claims") return claims(reveal, nth);
  if (name === "costs") return costs(reveal, nth, actName);
  if (name === "acts") return acts(reveal);
  return walk(reveal);
}

