// Answers the first questions of an operator in an outage: the cause, the beginning, the affected calls, and the remedy.
import { compact, count, h, order, since, span, text, timeOf, tone } from "./base.js";
import { isGreen } from "./rows.js";

const MARKS = { bad: "✕", warn: "!", cool: "↗", idle: "■" };

// The state of a pool. A pool is green only if all its endpoints are green, no alert of its error budget is active, and no call has waited for more than a second.
export function stateOf(d) {
  const firing = d.availability.burn.find(b => b.firing);
  if (d.state === "outage") return { look: "bad", word: "Outage", firing };
  if (d.endpoints.some(e => e.state === "SlowStart") && d.serving < d.endpoints.length) return { look: "warn", word: "Recovering", firing };
  const isWell = d.state === "well" && d.endpoints.every(isGreen) && !firing && !(d.oldestWait > 1);
  if (isWell) return { look: "good", word: "Well", firing };
  if (d.serving < d.endpoints.length || d.servingTier !== d.firstTier || firing || d.oldestWait > 1) return { look: "warn", word: "Degraded", firing };
  return { look: "warn", word: d.endpoints.every(e => e.state === "SlowStart" || isGreen(e)) ? "Recovering" : "Uncertain", firing };
}

export const serving = d => d.serving === 0 ? `none of ${count(d.endpoints.length, "endpoint")} serves` : d.serving === d.endpoints.length ? `all ${d.serving} endpoints serve` : `${d.serving} of ${d.endpoints.length} endpoints serve`;

// The calls that the problem affects.
export function waiting(d, isShort) {
  const lines = [];
  if (d.waiting) {
    lines.push(d.waiting === 1 ? `1 call waits, for ${span(d.oldestWait)} already.` : `${d.waiting} calls wait; the oldest for ${span(d.oldestWait)}.`);
    if (d.firstGivesUpIn != null) lines.push(`The first call fails in ${span(d.firstGivesUpIn)}${isShort ? "" : " if no endpoint serves it"}.`);
    if (d.maxWaiting && d.waiting >= d.maxWaiting) lines.push(`The queue is full (${compact(d.maxWaiting)}): new calls fail at once.`);
  } else if (d.state === "outage") lines.push("No call waits at this moment.");
  if (d.lostInOutage != null) lines.push(d.lostInOutage ? `${count(d.lostInOutage, "call")} failed since it began.` : "No call has failed since it began.");
  return lines.join(" ");
}

export function newCritical(onPick) {
  const c = { troubles: new Map(), onPick, title: h("b"), when: h("span"), calls: h("p", { className: "calls" }), list: h("ul", { className: "troubles" }) };
  c.element = h("div", { className: "critical", hidden: true }, h("p", { className: "what" }, c.title, " ", c.when), c.calls, c.list);
  return c;
}

export function showCritical(c, d) {
  const { look, word, firing } = stateOf(d);
  c.element.hidden = look === "good";
  tone(c.element, look);
  text(c.title, `${word}: ${serving(d)}.`);
  showTroubles(c, d.troubles);
  c.data = d;
  c.firing = firing;
  showCriticalTime(c);
}

// Shows the ages and durations, which grow between two updates.
export function showCriticalTime(c) {
  const d = c.data;
  if (!d || c.element.hidden) return;
  const answered = d.lastAnsweredAt ? ` Last answer ${timeOf(d.lastAnsweredAt)}.` : "";
  text(c.when, d.outageSince ? `Since ${timeOf(d.outageSince)}, for ${since(d.outageSince)}.${answered}` : d.serving && d.servingTier !== d.firstTier ? `Tier ${d.servingTier} serves in place of tier ${d.firstTier}.` : "");
  text(c.calls, [waiting(d), !d.outageSince && !d.waiting && d.serving < d.endpoints.length && d.serving ? "Calls go to the others." : "",
    c.firing ? `The error budget burns ${c.firing.longNow.toFixed(1)} times too fast (alert "${c.firing.alert}").` : ""].filter(Boolean).join(" "));
  c.calls.hidden = !c.calls.textContent;
  for (const line of c.troubles.values())
    text(line.age, ` · since ${timeOf(line.data.since)} (${since(line.data.since)})${line.data.lastSince ? `, the last since ${timeOf(line.data.lastSince)}` : ""}`);
}

function showTroubles(c, list) {
  const left = new Set(c.troubles.keys());
  const shown = list.slice(0, 8).map(trouble => {
    const key = trouble.level + trouble.what;
    left.delete(key);
    let line = c.troubles.get(key);
    if (!line) {
      line = { mark: h("span", { className: "mark", ariaHidden: "true" }), names: h("b"), what: h("span"), age: h("em"), advice: h("span", { className: "advice" }) };
      line.button = h("button", { type: "button", className: "chip", title: "Go to the endpoint", onclick: () => c.onPick(line.data.endpoints[0]) }, line.names, line.what, line.age);
      line.element = h("li", null, line.mark, h("div", null, line.button, line.advice));
      c.troubles.set(key, line);
    }
    line.data = trouble;
    tone(line.element, trouble.level);
    text(line.mark, MARKS[trouble.level] ?? "·");
    const more = trouble.count - trouble.endpoints.length;
    text(line.names, trouble.endpoints.join(", ") + (more > 0 ? ` and ${more} more` : ""));
    text(line.what, `: ${trouble.what}`);
    text(line.advice, trouble.advice ? `→ ${trouble.advice}` : "");
    return line.element;
  });
  for (const key of left) { c.troubles.get(key).element.remove(); c.troubles.delete(key); }
  order(c.list, shown);
  c.list.hidden = shown.length === 0;
}
