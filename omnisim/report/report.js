"use strict";
// Every chart is drawn once its place is known, and drawn anew by Vega when that gets wider.
const told = JSON.parse(document.getElementById("charts").textContent);
const drawings = Object.entries(told.charts).map(([id, chart]) =>
  vegaEmbed(document.getElementById(id), chart, {
    actions: false,
    renderer: "svg",
    ...(told.numbers ? { formatLocale: told.numbers } : {}),
  }).catch((error) => {
    document.getElementById(id).textContent = told.failed;
    throw error;
  }),
);
Promise.all(drawings).then(() => document.documentElement.classList.add("drawn"));

for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const table = button.closest(".table").querySelector("table");
    const selection = window.getSelection();
    const range = document.createRange();
    range.selectNode(table);
    selection.removeAllRanges();
    selection.addRange(range);
    if (document.execCommand("copy")) {
      button.textContent = told.copied;
    }
    selection.removeAllRanges();
  });
}
