// Shows one pool: its state, its figures, its chart, its endpoints and its fleet.
import { $, clock, compact, count, h, nines, order, percent, sum, text, tone } from "./base.js";
import { drawChart, newChart } from "./charts.js";
import { newCritical, showCritical, showCriticalTime, stateOf } from "./critical.js";
import { explain } from "./explain.js";
import { newFleet, showFleet } from "./fleet.js";
import { ask } from "./orders.js";
import { isGreen, keepHistory, newRow, showHistory, showRow, showTime } from "./rows.js";

export const pools = new Map();
export const view = { illFirst: false };
const RANK = { bad: 0, warn: 1, good: 2 };
const FIGURES = [["rate", "Attempts"], ["delivered", "Delivered"], ["predicted", "Predicted"], ["budget", "Error budget left"], ["burn", "Burn rate"], ["flight", "In flight"], ["waiting", "Waiting"], ["retry", "Retry budget"]];
const HEAD = [["c-who", "Endpoint, host, zone"], ["c-state", "State, since, why"], ["c-share", "Share, last minute"], ["c-latency", "Time, p50 and p95"], ["c-errors", "Errors, last minute"],
  ["c-limits", "Limits"], ["c-heart", "Heartbeat"], ["c-availability", "Up"], ["c-lose", "Can I lose it?"], ["c-acts ordering", ""]];

function newPool(name) {
  const pool = { name, rows: new Map(), data: null };
  const figure = (key, word) => {
    const f = { box: h("div", { className: "figure", "data-figure": key }), value: h("b"), small: h("small"), bar: null };
    f.box.append(h("span", null, word), f.value, f.small);
    if (key === "budget") f.box.append(h("div", { className: "meter" }, f.bar = h("i")));
    return pool[key] = f;
  };
  pool.pill = h("span", { className: "pill" });
  pool.tiers = h("span", { className: "tiers ordering" });
  pool.critical = newCritical(endpoint => focusRow(pool.rows.get(endpoint)));
  pool.body = h("tbody");
  pool.fleet = newFleet();
  pool.element = h("section", { className: "pool", "data-pool": name, ariaLabel: `Pool ${name}` },
    h("header", null,
      h("div", { className: "title" }, h("h2", { tabIndex: -1 }, name), pool.pill, h("span", { className: "space" }), pool.tiers, h("button", { type: "button", title: "Why each endpoint would or would not be chosen (e)", onclick: () => explain(name) }, "Explain")),
      pool.critical.element, h("div", { className: "figures" }, ...FIGURES.map(([k, w]) => figure(k, w).box)), (pool.chart = newChart()).element),
    h("table", null, h("thead", null, h("tr", null, ...HEAD.map(([className, word]) => h("th", { className, scope: "col" }, word || h("span", { className: "hidden" }, "Orders"))))), pool.body),
    pool.fleet.element);
  return pool;
}

export function takePools(list, isWhole, moved) {
  const left = new Set(pools.keys());
  for (const data of list) { left.delete(data.name); takePool(data, isWhole, moved); }
  for (const name of left) { pools.get(name).element.remove(); pools.delete(name); }
  // The worst pool is first. The panels beside the pools stay after them.
  const sorted = list.map(d => pools.get(d.name)).sort((a, b) => RANK[stateOf(a.data).look] - RANK[stateOf(b.data).look]);
  order($("pools"), sorted.map(p => p.element));
}

function takePool(data, isWhole, moved) {
  let pool = pools.get(data.name);
  if (!pool) { pools.set(data.name, pool = newPool(data.name)); $("pools").append(pool.element); }
  pool.data = data;
  const left = new Set(pool.rows.keys());
  for (const endpoint of data.endpoints) {
    left.delete(endpoint.name);
    let row = pool.rows.get(endpoint.name);
    if (!row) { pool.rows.set(endpoint.name, row = newRow(pool, endpoint.name)); pool.body.append(row.element); }
    row.data = endpoint;
    keepHistory(row, isWhole, moved);
    showRow(row);
  }
  for (const name of left) { pool.rows.get(name).element.remove(); pool.rows.delete(name); }
  if (isWhole || moved || !pool.drawn) drawPool(pool);
  showPool(pool);
  arrange(pool);
}

function drawPool(pool) {
  const recent = Math.max(1, Math.round(60 / clock.step)), rows = [...pool.rows.values()], total = sum(rows.map(r => sum(r.calls.slice(-recent))));
  pool.drawn = true;
  for (const row of rows) showHistory(row, total);
  pool.chart.element.classList.toggle("tall", pool.rows.size <= 8);
  drawChart(pool.chart, rows);
  const last = sum(rows.map(r => r.calls.at(-1) ?? 0)) / clock.step;
  text(pool.rate.value, `${last.toFixed(last < 10 ? 1 : 0)} /s`);
  text(pool.rate.small, total ? `${total} in the last minute` : "none in the last minute");
}

function set(figure, value, small, look) { text(figure.value, value); text(figure.small, small); figure.small.title = small; tone(figure.box, look); }

function showPool(pool) {
  const d = pool.data, a = d.availability, { look } = stateOf(d);
  tone(pool.element, look);
  const doubtful = d.endpoints.filter(e => e.serves && !isGreen(e)).length;
  text(pool.pill, d.state === "outage" ? `✕ Outage · none of ${d.endpoints.length} serves` : d.servingTier !== d.firstTier ? `! Tier ${d.servingTier} serves in place of tier ${d.firstTier}`
    : `${look === "good" ? "✓ All" : "!"} ${d.serving}${look === "good" ? "" : ` of ${d.endpoints.length}`} serve${doubtful ? `, ${doubtful} not fully` : ""}`);
  // A waiting call counts as not served until an endpoint serves it.
  const wait = d.waiting ? `, ${compact(d.waiting)} wait` : "";
  set(pool.delivered, nines(a.deliveredNow), a.calls || d.waiting ? `${compact(a.failures)} of ${compact(a.calls)} lost${wait}` : "no calls yet", a.deliveredNow != null && a.deliveredNow < a.target ? "bad" : null);
  set(pool.predicted, nines(a.predicted), `target ${nines(a.target)}`);
  set(pool.budget, a.budgetLeftNow < 0 ? "none" : percent(a.budgetLeftNow), a.budgetLeftNow < 0 ? `${(1 - a.budgetLeftNow).toFixed(1 - a.budgetLeftNow < 10 ? 1 : 0)}× of it is spent${d.waiting ? ", with waiting" : ""}` : `of the period's${d.waiting ? ", waiting counted" : ""}`, a.budgetLeftNow < .1 ? "bad" : a.budgetLeftNow < .5 ? "warn" : null);
  pool.budget.bar.style.transform = `scaleX(${Math.min(1, Math.max(0, a.budgetLeftNow))})`;
  const fast = a.burn[0], firing = a.burn.find(b => b.firing), burn = b => b.longNow.toFixed(b.longNow < 10 ? 1 : 0);
  set(pool.burn, fast ? `${burn(fast)}×` : "–", firing ? `alert: ${firing.alert}` : fast ? `${fast.alert}; ${a.burn.slice(1).map(b => `${b.alert} ${burn(b)}×`).join(", ")}` : "no alert can fire", firing || fast && fast.longNow >= fast.threshold ? "bad" : null);
  set(pool.flight, `${d.inFlight}`, d.utilization != null ? `attempts, ${percent(d.utilization)} full` : "attempts");
  set(pool.waiting, compact(d.waiting), d.waiting ? `oldest ${Math.round(d.oldestWait)} s${d.firstGivesUpIn != null ? `, first ends in ${Math.round(d.firstGivesUpIn)} s` : ""}` : d.wantedEndpoints != null ? `${count(d.wantedEndpoints, "endpoint")} wanted` : "calls", d.oldestWait > 1 ? "warn" : null);
  set(pool.retry, d.retryBudget.toFixed(1), "retries to spend", d.retryBudget < 1 ? "warn" : null);
  showCritical(pool.critical, d);
  showTiers(pool, d);
  showFleet(pool.fleet, d.fleet);
}

function showTiers(pool, d) {
  const tiers = [...new Set(d.endpoints.map(e => e.tier))].sort((a, b) => a - b), key = `${tiers}|${d.firstTier}`;
  if (pool.tierKey === key) return;
  pool.tierKey = key;
  pool.tiers.replaceChildren();
  if (tiers.length < 2) return;
  for (const tier of tiers)
    if (tier !== d.firstTier) {
      const back = tier === tiers[0];
      pool.tiers.append(h("button", { type: "button", onclick: () => ask(d.name, null, back ? "fail-back" : "promote", tier) }, back ? `Fail back to tier ${tier}` : `Promote tier ${tier}`), " ");
    }
}

export function arrange(pool) {
  const wanted = $("find").value.trim().toLowerCase(), rank = e => e.serves ? (isGreen(e) ? 2 : 1) : 0;
  let list = pool.data.endpoints.map(e => pool.rows.get(e.name));
  if (view.illFirst) list = list.toSorted((a, b) => rank(a.data) - rank(b.data));
  for (const row of list)
    row.element.hidden = wanted !== "" && ![row.name, row.data.state, row.data.model, row.data.zone, row.data.provider, row.data.address].some(v => v?.toLowerCase().includes(wanted));
  order(pool.body, list.map(r => r.element));
  if (!document.querySelector("tr[tabindex='0']")) list[0]?.element.setAttribute("tabindex", "0");
}

export function focusRow(row) {
  if (!row) return;
  document.querySelector("tr[tabindex='0']")?.setAttribute("tabindex", "-1");
  row.element.tabIndex = 0;
  row.element.focus();
  row.element.scrollIntoView({ block: "nearest" });
}

export function showTimes() {
  for (const pool of pools.values()) {
    for (const row of pool.rows.values()) if (row.data) showTime(row);
    showCriticalTime(pool.critical);
  }
}
