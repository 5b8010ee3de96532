// The debrief as one page that needs no program: all pictures, three questions.
import { acts, claims, costs, walk } from "./charts.js";
import { el, fill, firm, speak, t } from "./words.js";

const data = JSON.parse(document.getElementById("data").textContent);
speak(data.language, data.texts);
document.title = t("debrief.title", { code: data.code });
const found = data.reveal;
const many = found.firms.length > 1;
const sections = [];
found.firms.forEach((its, nth) => {
  const name = many ? ` · ${firm(nth)}` : "";
  sections.push(el("section", { class: "card" }, el("h2", {}, t("reveal.claims") + name), claims(found, nth)));
  for (const act of Object.keys(its.acts)) {
    sections.push(el("section", { class: "card" }, el("h2", {}, `${t("reveal.costs")} · ${t(`plain_act.${act}`)}${name}`), costs(found, nth, act)));
  }
});
sections.push(el("section", { class: "card" }, el("h2", {}, t("reveal.acts")), acts(found)));
sections.push(el("section", { class: "card" }, el("h2", {}, t("reveal.walk")), walk(found)));
sections.push(el("section", { class: "card" }, el("h2", {}, t("debrief.questions")), el("ol", {}, ["q1", "q2", "q3"].map((key) => el("li", {}, el("p", {}, t(`debrief.${key}`)))))));
fill(document.getElementById("page"), el("h1", {}, t("debrief.title", { code: data.code })), sections);
