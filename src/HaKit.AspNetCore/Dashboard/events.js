// The list of events, with the newest line first. A line with repeated events keeps its place. The beginning of a current outage stays in view.
import { $, h, text, timeOf } from "./base.js";

const LOOKS = { bad: "bad", good: "good", warn: "warn", order: "cool" }, MARKS = { bad: "✕", good: "✓", warn: "!", order: "■" };
const lines = new Map();

export function takeEvents(list) {
  $("events").replaceChildren();
  lines.clear();
  for (const event of list) log(event, false);
}

export function log(event, isNew) {
  let line = lines.get(event.number);
  if (!line) {
    line = { time: h("time"), who: h("b"), text: h("span"), until: h("span", { className: "until" }) };
    line.element = h("li", { className: `${LOOKS[event.severity] ?? ""}${isNew ? " new" : ""}`, "data-kind": event.kind, "data-of": event.pool },
      line.time, h("span", null, h("i", { ariaHidden: "true" }, MARKS[event.severity] ?? "·"), " ", line.who, " ", line.text, line.until));
    lines.set(event.number, line);
    $("events").prepend(line.element);
    if (lines.size > 300) {
      const oldest = lines.keys().next().value;
      lines.get(oldest).element.remove();
      lines.delete(oldest);
    }
  }
  line.time.dateTime = event.at;
  line.element.title = new Date(event.at).toLocaleString();
  text(line.time, timeOf(event.at));
  text(line.who, event.endpoint ?? event.pool);
  text(line.text, event.text);
  text(line.until, event.until ? ` (the last at ${timeOf(event.until)})` : "");
  $("quiet").hidden = true;
}

// Pins the beginning of each current outage.
export function pinOutages(pools) {
  const out = new Set(pools.filter(p => p.state === "outage").map(p => p.name));
  for (const item of $("events").querySelectorAll("li[data-kind='OutageBegan']")) {
    item.classList.toggle("pinned", out.has(item.dataset.of));
    out.delete(item.dataset.of); // only the latest outage of each pool is pinned
  }
}
