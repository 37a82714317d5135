// Handles the data of the server and the input of the operator.
import { $, clock, span, text, timeOf, zone } from "./base.js";
import { log, pinOutages, takeEvents } from "./events.js";
import { explain } from "./explain.js";
import { ask } from "./orders.js";
import { takePanels } from "./panels.js";
import { arrange, focusRow, pools, showTimes, takePools, view } from "./pools.js";
import { say, showVerdict } from "./voice.js";

let heard = 0, asOf = null, panels = [], isLost = false, source = null;
const all = () => [...pools.values()].map(p => p.data);

// ---- the data of the server

function take(status, isWhole) {
  clock.skew = Date.parse(status.at) - Date.now();
  clock.step = status.step;
  clock.refresh = status.refresh ?? 1;
  const moved = !isWhole && status.point !== clock.point;
  if (moved && clock.point >= 0 && status.point !== clock.point + 1) { connect(); return; } // points were missed, so the history is read again
  clock.point = status.point;
  asOf = status.at;
  takePools(status.pools, isWhole, moved);
  panels = takePanels(status.panels ?? []);
  if (isWhole && status.events) takeEvents(status.events);
  $("quiet").hidden = $("events").childElementCount > 0; // hidden until the first status arrives
  pinOutages(status.pools);
  showContact();
}

function connect() {
  source?.close();
  source = new EventSource("events");
  const hear = (isWhole, use) => event => { heard = Date.now(); use(JSON.parse(event.data), isWhole); };
  source.addEventListener("status", hear(true, take));
  source.addEventListener("tick", hear(false, take));
  source.addEventListener("event", hear(true, log));
  source.onerror = () => { heard = Math.min(heard, Date.now() - 1000 * patience()); showContact(); if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000); };
}

// ---- the age of the data

const patience = () => Math.max(8, 3 * clock.refresh);

// The age of the data is always shown. Without contact nothing on the page is green, because nothing is known.
function showContact() {
  const silent = heard ? (Date.now() - heard) / 1000 : 0, first = !asOf;
  isLost = !first && silent >= patience() - .5 || source?.readyState === EventSource.CLOSED;
  $("link").dataset.state = isLost ? "lost" : first ? "wait" : "live";
  text($("link-word"), isLost ? "no contact" : first ? "connecting" : "live");
  text($("as-of"), asOf ? timeOf(asOf) : "–");
  document.body.classList.toggle("stale", isLost);
  $("stale").hidden = !isLost;
  const age = asOf ? span((Date.now() + clock.skew - Date.parse(asOf)) / 1000) : null;
  text($("stale-text"), age ? `No contact with the application for ${age}. Everything below is as of ${timeOf(asOf)}. The page keeps trying.` : "No contact with the application. The page keeps trying.");
  const behind = Math.round(clock.skew / 1000);
  text($("clocks"), `Times are in the time zone of this browser: ${zone()}. ${asOf ? `The application's clock: ${new Date(asOf).toISOString().slice(11, 19)} UTC.` : ""}${Math.abs(behind) > 5 ? ` This computer's clock is ${span(Math.abs(behind))} ${behind > 0 ? "behind" : "ahead of"} it. Ages are counted with the application's clock.` : ""}`);
  if (asOf || isLost) { showVerdict(all(), panels, isLost); say(all(), isLost); }
}

setInterval(() => {
  if (document.hidden) return;
  if (!isLost) showTimes();
  showContact();
}, 1000);

// ---- keys, theme

const themes = ["auto", "dark", "light"], dark = matchMedia("(prefers-color-scheme: dark)");
let theme = "auto";
try { theme = localStorage.getItem("hakit.theme") ?? "auto"; } catch { /* not allowed here: as the system */ }
function useTheme(next) {
  theme = themes.includes(next) ? next : "auto";
  document.documentElement.dataset.theme = theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
  text($("theme"), { auto: "Auto", dark: "Dark", light: "Light" }[theme]);
  try { localStorage.setItem("hakit.theme", theme); } catch { /* only for this visit */ }
}
dark.addEventListener("change", () => useTheme(theme));
$("theme").addEventListener("click", () => useTheme(themes[(themes.indexOf(theme) + 1) % 3]));
$("help").addEventListener("click", () => $("keys").showModal());
$("order").addEventListener("click", () => { view.illFirst = !view.illFirst; $("order").setAttribute("aria-pressed", view.illFirst); pools.forEach(arrange); });
$("find").addEventListener("input", () => pools.forEach(arrange));
$("verdict").addEventListener("click", () => {
  const pool = pools.get($("verdict").dataset.pool);
  pool?.element.querySelector("h2").focus({ preventScroll: true });
  pool?.element.scrollIntoView({ block: "start" });
});

const rowsShown = () => [...document.querySelectorAll("tr[data-endpoint]:not([hidden])")];
function move(target, here, step) {
  const rows = rowsShown(), index = rows.indexOf(here), next = rows[Math.max(0, Math.min(rows.length - 1, target === here ? index + step : index))];
  if (next) focusRow(pools.get(next.closest("section").dataset.pool).rows.get(next.dataset.endpoint));
}
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input")) { if (event.key === "Escape") { event.target.value = ""; pools.forEach(arrange); event.target.blur(); } return; }
  const here = event.target.closest?.("tr[data-endpoint]") ?? document.querySelector("tr[tabindex='0']");
  const pool = pools.get(here?.closest("section").dataset.pool), order = { d: "drain", f: "force-down", u: "bring-up" }[event.key], button = order && here?.querySelector(`[data-order='${order}']`);
  if (event.key === "ArrowDown" || event.key === "ArrowUp") move(event.target, here, event.key === "ArrowDown" ? 1 : -1);
  else if (button && document.documentElement.dataset.orders === "on" && event.target === here) { if (!button.disabled) ask(pool.name, here.dataset.endpoint, order); }
  else if (event.key === "e" && pool) explain(pool.name);
  else if (event.key === "i") $("order").click();
  else if (event.key === "t") $("theme").click();
  else if (event.key === "/") $("find").focus();
  else if (event.key === "?") $("keys").showModal();
  else return;
  event.preventDefault();
});

useTheme(theme);
connect();
