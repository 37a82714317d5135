// Shows the state of all pools: the line at the top, the title and icon of the tab, and the text for screen readers.
import { $, count, since, sum, text, timeOf, tone } from "./base.js";
import { serving, stateOf, waiting } from "./critical.js";
import { lookOf } from "./rows.js";

const RANK = { bad: 0, warn: 1, good: 2 }, COLOURS = { good: "3ecf8e", warn: "f2b84b", bad: "ff5d6c", idle: "8b95a3" }, SIGNS = { good: "✓", warn: "!", bad: "✕", idle: "?" };
let said = null;

// The line at the top stays in view while the page is scrolled. A click on it leads to the pool.
export function showVerdict(pools, panels, isLost) {
  const states = pools.map(d => ({ d, ...stateOf(d) })).sort((a, b) => RANK[a.look] - RANK[b.look]), worst = states[0];
  const look = isLost || !worst ? "idle" : worst.look === "good" && panels.length ? "warn" : worst.look;
  tone($("pulse"), look);
  text($("pulse"), SIGNS[look]);
  text($("verdict"), words(states, panels, isLost));
  $("verdict").dataset.pool = worst?.d.name ?? "";
  const out = states.filter(s => s.look === "bad").length, ill = sum(pools.map(d => d.endpoints.length - d.serving));
  document.title = isLost ? "? No contact – HaKit" : out ? "✕ Outage – HaKit" : ill ? `! ${ill} out – HaKit` : "HaKit";
  const icon = `data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='7' fill='%23${COLOURS[look]}'/%3E%3C/svg%3E`;
  if ($("icon").getAttribute("href") !== icon) $("icon").href = icon;
}

function words(states, panels, isLost) {
  if (isLost) return "No contact with the application: the page shows old data.";
  if (!states.length) return "There are no pools.";
  const out = states.filter(s => s.look === "bad");
  if (out.length) return out.map(({ d }) => `Outage of ${d.name} since ${timeOf(d.outageSince)} (${since(d.outageSince)}). ${waiting(d, true)}`).join(" · ");
  const ill = states.filter(s => s.look === "warn").map(({ d, word }) => {
    const names = d.endpoints.filter(e => !e.serves).map(e => `${e.name} (${lookOf(e)[2].toLowerCase()})`);
    return `${word}: ${d.name}, ${serving(d)}${names.length ? `; not ${names.slice(0, 4).join(", ")}${names.length > 4 ? ` and ${names.length - 4} more` : ""}` : ""}.`;
  });
  const beside = panels.map(p => `${p.name}: ${p.summary}`);
  if (ill.length || beside.length) return [...ill, ...beside].join(" ");
  return `All ${sum(states.map(s => s.d.endpoints.length))} endpoints serve.`;
}

// Announces each change once: the pools with an outage, and the endpoints that do not serve. Ages and counts are not announced each second.
export function say(pools, isLost) {
  const states = pools.map(d => ({ d, ...stateOf(d) }));
  const facts = { lost: isLost, out: states.filter(s => s.look === "bad").map(s => s.d.name), ill: pools.flatMap(d => d.endpoints.filter(e => !e.serves).map(e => `${d.name} ${e.name}`)) };
  const before = said;
  said = facts;
  if (!before) {
    if (facts.out.length) text($("alarm"), outage(states));
    return;
  }
  if (facts.lost !== before.lost) text($("alarm"), facts.lost ? "No contact with the application. The page shows old data." : "In contact with the application again.");
  else if (`${facts.out}` !== `${before.out}`)
    text($("alarm"), facts.out.length ? outage(states) : `The outage is over. ${states.map(s => `${s.d.name}: ${serving(s.d)}`).join(". ")}.`);
  else if (`${facts.ill}` !== `${before.ill}` && !facts.out.length) text($("say"), states.map(s => `${s.d.name}: ${serving(s.d)}`).join(". ") + ".");
}
const outage = states => states.filter(s => s.look === "bad").map(({ d }) => `Outage of pool ${d.name} since ${timeOf(d.outageSince)}: none of ${count(d.endpoints.length, "endpoint")} serves.`).join(" ");
