// Words and numbers in the language of whoever reads, and elements that hold them as text.
let told = {};
let spoken = "en";

export function speak(language, texts) {
  spoken = language;
  told = texts;
  document.documentElement.lang = language;
}

export function language() { return spoken; }

export function t(key, details = {}) {
  let found = told;
  for (const part of key.split(".")) found = found?.[part];
  if (typeof found !== "string") return key.split(".").pop().replaceAll("_", " ");
  return found.replace(/\{(\w+)\}/g, (whole, name) => (name in details ? details[name] : whole));
}

export const medium = (name) => t(`media.${name}`);
export const role = (name) => t(`role.${name}`);
export const firm = (nth) => t("firm", { nth: nth + 1 });
export const number = (x) => new Intl.NumberFormat(spoken, { maximumFractionDigits: 0 }).format(x);
export const percent = (x, digits = 0) =>
  new Intl.NumberFormat(spoken, { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(x);

export function money(x, digits = 0) {
  const how = { style: "currency", currency: "EUR", minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(spoken, how).format(x || 0);
}

// What an order costs: cents count where it is cheap.
export const price = (x) => money(x, x < 10 ? 1 : 0);

export const decimal = (x) => new Intl.NumberFormat(spoken, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(x);

// Three digits that count, as people say them.
export function short(x) {
  if (Math.abs(x) >= 999500) {
    const millions = new Intl.NumberFormat(spoken, { maximumSignificantDigits: 3, minimumSignificantDigits: 3 }).format(x / 1e6);
    return `${millions} ${t("million")}`;
  }
  return new Intl.NumberFormat(spoken, { maximumSignificantDigits: 3 }).format(Math.round(x) || 0);
}

export const shortMoney = (x) => (spoken === "de" ? `${short(x)} €` : `€${short(x)}`);

export const millions = (x) => new Intl.NumberFormat(spoken, { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(x / 1e6);

export function stepName(step) {
  if (step.kind !== "round") return t(`step.${step.kind}`);
  return t("step.round", { act: t(`act.${step.act}`), nth: step.nth + 1 });
}

export function time(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) made.append(child);
  }
  return made;
}

export function fill(place, ...children) {
  place.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== false && child !== undefined));
}
