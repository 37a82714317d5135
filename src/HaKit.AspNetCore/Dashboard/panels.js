// Shows the other components of the application: vaults, batches, and panels that the application registers.
import { $, h, text, tone } from "./base.js";

const panels = new Map(), STATES = { well: ["good", "✓", "Well"], degraded: ["warn", "!", "Degraded"], outage: ["bad", "✕", "Needs attention"] };

export function takePanels(list) {
  const left = new Set(panels.keys());
  for (const data of list) {
    left.delete(data.name);
    let panel = panels.get(data.name);
    if (!panel) {
      panel = { pill: h("span", { className: "pill" }), summary: h("p", { className: "summary" }), rows: h("ul", { className: "parts" }) };
      panel.element = h("section", { className: "pool beside", "data-panel": data.name, ariaLabel: data.name },
        h("header", null, h("div", { className: "title" }, h("h2", null, data.name), panel.pill), panel.summary), panel.rows);
      panels.set(data.name, panel);
      $("panels").append(panel.element);
    }
    show(panel, data);
  }
  for (const name of left) { panels.get(name).element.remove(); panels.delete(name); }
  return list.filter(p => p.state !== "well");
}

function show(panel, data) {
  const [look, mark, word] = STATES[data.state] ?? STATES.outage, key = JSON.stringify(data.rows);
  tone(panel.element, look);
  text(panel.pill, `${mark} ${word}`);
  text(panel.summary, data.summary);
  if (panel.key === key) return;
  panel.key = key;
  panel.rows.replaceChildren(...data.rows.map(r => {
    const [tint, sign] = STATES[r.state] ?? STATES.outage;
    return h("li", { className: tint, "data-part": r.name }, h("span", { className: "mark", ariaHidden: "true" }, sign), h("b", null, r.name), h("span", { className: "sub" }, r.text));
  }));
}
