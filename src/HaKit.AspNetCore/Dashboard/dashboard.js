"use strict";
// Everything shown comes from the server as data and is set as text: nothing is ever read as markup.
const $ = id => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const POINTS = 60;
const LOOKS = { // state: tone, mark, word
  Healthy: ["good", "✓", "Healthy"], Suspect: ["warn", "?", "Suspect"], Ejected: ["bad", "✕", "Ejected"], Trial: ["warn", "⋯", "On trial"],
  SlowStart: ["cool", "↗", "Slow start"], Draining: ["idle", "⏏", "Draining"], ForcedDown: ["idle", "■", "Forced down"],
};
const orders = document.documentElement.dataset.orders === "on";
const pools = new Map();
const HUES = ["#5aa9ff", "#3ecf8e", "#b58cff", "#f2b84b", "#38c6d9", "#ff8fb1", "#9bd15a", "#f08a5d", "#7f8cff", "#5fd6b4", "#d68cf0"], OTHERS = "#66727f";
let skew = 0, step = 5, point = -1, illFirst = false, token = null, lastWord = 0;

function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {}))
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== "list") element[name] = value;
    else element.setAttribute(name, value);
  element.append(...children.filter(c => c != null));
  return element;
}
function text(element, value) { if (element.textContent !== value) element.textContent = value; }
function tone(element, value) {
  if (element.dataset.tone === value) return;
  element.classList.remove("good", "warn", "bad", "cool", "idle");
  if (value) element.classList.add(value);
  element.dataset.tone = value ?? "";
}
const now = () => Date.now() + skew;
function span(seconds) {
  seconds = Math.max(0, seconds);
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor(seconds % 86400 / 3600)} h`;
}
const since = iso => span((now() - Date.parse(iso)) / 1000);
const ms = value => value < 0 ? "–" : value < 1000 ? `${value} ms` : `${(value / 1000).toFixed(value < 10000 ? 2 : 1)} s`;
const percent = (value, digits = 0) => `${(100 * value).toFixed(digits)} %`;
// As many digits as there are nines, and one more.
function nines(value) {
  if (value == null) return "–";
  if (value >= 1) return "100 %";
  const digits = Math.min(6, Math.max(1, Math.floor(-Math.log10(1 - value) + 1e-9)));
  return `${(Math.floor(value * 100 * 10 ** digits) / 10 ** digits).toFixed(digits)} %`;
}
const sum = values => values.reduce((a, b) => a + b, 0);

// ---- sparklines

function spark() {
  const svg = document.createElementNS(SVG, "svg"), under = document.createElementNS(SVG, "path"), line = document.createElementNS(SVG, "path");
  svg.setAttribute("class", "line"); svg.setAttribute("viewBox", "0 0 110 30"); svg.setAttribute("preserveAspectRatio", "none"); svg.setAttribute("aria-hidden", "true");
  under.setAttribute("class", "under");
  svg.append(under, line);
  return { svg, under, line };
}
const x = i => (POINTS - 1 - i) * -110 / (POINTS - 1) + 110;
function draw(s, values) {
  const shift = POINTS - values.length, known = values.filter(v => v >= 0), top = Math.max(1, ...known) * 1.1;
  let path = "", area = "", open = false, from = 0, last = 0;
  values.forEach((value, i) => {
    if (value < 0) { if (open) area += `L${last} 30L${from} 30Z`; open = false; return; }
    last = x(i + shift).toFixed(1);
    const at = `${last} ${(29 - 28 * value / top).toFixed(1)}`;
    path += (open ? "L" : "M") + at; area += (open ? "L" : "M") + at;
    if (!open) from = last;
    open = true;
  });
  if (open) area += `L${last} 30L${from} 30Z`;
  s.line.setAttribute("d", path); s.under.setAttribute("d", area);
}
function bars(s, calls, faults) {
  const shift = POINTS - calls.length;
  s.line.setAttribute("class", "bars");
  s.under.setAttribute("d", "M0 29.5H110V30H0Z");
  s.line.setAttribute("d", faults.map((f, i) => {
    if (!f) return "";
    const height = Math.max(3, 28 * Math.min(1, f / Math.max(1, calls[i]))), left = x(i + shift) - 1.2;
    return `M${left.toFixed(1)} 30V${(30 - height).toFixed(1)}h2V30Z`;
  }).join(""));
}

// The attempts of each endpoint in each step, one upon the other; those that failed, from the bottom, in red.
function newChart() {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 590 100"); svg.setAttribute("preserveAspectRatio", "none"); svg.setAttribute("aria-hidden", "true");
  const chart = { svg, top: h("span", { className: "top-mark" }), from: h("span"), none: h("span", { className: "none" }, "No calls yet") };
  chart.element = h("div", { className: "chart", role: "img", ariaLabel: "Attempts of each endpoint over time" }, svg, chart.top, chart.none, h("div", { className: "axis" }, chart.from, h("span", null, "now")));
  return chart;
}
function drawChart(chart, rows) {
  const count = Math.max(2, ...rows.map(r => r.calls.length)), at = (series, i) => series[series.length - count + i] ?? 0, left = i => (590 * i / (count - 1)).toFixed(1);
  const lanes = rows.filter(r => sum(r.calls) > 0).map(r => ({ hue: r.hue, values: Array.from({ length: count }, (_, i) => at(r.calls, i)) }));
  const totals = Array.from({ length: count }, (_, i) => sum(lanes.map(l => l.values[i]))), lost = totals.map((_, i) => sum(rows.map(r => at(r.faults, i)))), top = Math.max(4, ...totals) * 1.08;
  const y = value => (100 - 100 * value / top).toFixed(2), base = new Array(count).fill(0);
  chart.none.hidden = lanes.length > 0;
  text(chart.top, lanes.length ? `${(Math.max(...totals) / step).toFixed(1)} /s` : "");
  text(chart.from, `${span(count * step)} ago`);
  const shapes = lanes.map(lane => {
    const up = lane.values.map((v, i) => `${i ? "L" : "M"}${left(i)} ${y(base[i] + v)}`).join(""), down = base.map((b, i) => `L${left(i)} ${y(b)}`).reverse().join("");
    lane.values.forEach((v, i) => base[i] += v);
    return [up + down + "Z", lane.hue, ""];
  });
  if (sum(lost)) shapes.push([`M0 100${lost.map((v, i) => `L${left(i)} ${y(v)}`).join("")}L590 100Z`, null, "lost"]);
  while (chart.svg.children.length > shapes.length) chart.svg.lastChild.remove();
  shapes.forEach(([d, hue, className], i) => {
    const path = chart.svg.children[i] ?? chart.svg.appendChild(document.createElementNS(SVG, "path"));
    path.setAttribute("d", d); path.setAttribute("class", className);
    path.style.fill = hue ?? ""; path.style.fillOpacity = hue ? .72 : 1;
  });
}

// ---- one endpoint

function newRow(pool, name) {
  const row = { name, data: null, calls: [], ms: [], faults: [], hue: HUES[pool.rows.size] ?? OTHERS };
  const cell = (className, ...children) => h("td", { className }, ...children);
  row.mark = h("span", { className: "mark", ariaHidden: "true" });
  row.title = h("div", { className: "name" }, name);
  row.sub = h("div", { className: "sub" });
  row.state = h("b", { className: "state" });
  row.word = h("span"); row.age = h("em"); row.state.append(row.word, row.age);
  row.cause = h("div", { className: "sub" });
  row.bar = h("i"); row.meter = h("div", { className: "meter", hidden: true }, row.bar);
  row.share = h("b"); row.flight = h("span", { className: "sub" }); row.shareBar = h("i");
  row.latency = spark(); row.latencyNow = h("b");
  row.errors = spark(); row.errorsNow = h("b");
  row.heart = h("div"); row.heartSub = h("div", { className: "sub" });
  row.limits = h("div", { className: "limits" });
  row.availability = h("span");
  row.lose = h("b"); row.loseSub = h("div", { className: "sub" });
  const act = (order, word, meaning) => h("button", { type: "button", className: "ordering", "data-order": order, title: meaning, ariaLabel: `${meaning} ${name}`, onclick: () => ask(pool.name, name, order) }, word);
  row.drain = act("drain", "Drain", "Drain"); row.force = act("force-down", "Down", "Force down"); row.bring = act("bring-up", "Up", "Bring up");
  row.element = h("tr", { tabIndex: -1, "data-endpoint": name },
    cell("c-who", h("div", { className: "who" }, row.mark, h("div", null, row.title, row.sub))),
    cell("c-state", h("div", { className: "why" }, row.state, row.cause, row.meter)),
    cell("c-share", h("div", { className: "share" }, row.share, " ", row.flight, h("div", { className: "meter" }, row.shareBar))),
    cell("c-latency", h("div", { className: "spark" }, row.latency.svg, row.latencyNow)),
    cell("c-errors", h("div", { className: "spark errors" }, row.errors.svg, row.errorsNow)),
    cell("c-limits", row.limits), cell("c-heart", row.heart, row.heartSub), cell("c-availability", row.availability), cell("c-lose", row.lose, row.loseSub),
    cell("c-acts ordering", h("div", { className: "acts" }, row.drain, row.force, row.bring)));
  row.element.style.setProperty("--hue", row.hue);
  return row;
}

// A cooldown runs beside the state, and is what matters while the endpoint is well but for it.
const isCooling = e => e.cooldownUntil != null || e.cooldownForGood === true;
const lookOf = e => isCooling(e) && e.state === "Healthy" ? ["warn", "❄", "Cooling down"] : LOOKS[e.state] ?? ["idle", "·", e.state];

function showRow(row) {
  const d = row.data, [tint, mark, word] = lookOf(d), cooling = isCooling(d);
  tone(row.element, tint);
  row.element.classList.toggle("ill", !d.serves || d.state === "Suspect");
  text(row.mark, mark);
  text(row.word, word);
  text(row.sub, [`tier ${d.tier}`, d.weight !== 1 && `weight ${d.weight}`, d.model, d.provider, d.zone, d.address?.replace(/^https?:\/\//, "")].filter(Boolean).join(" · "));
  row.element.setAttribute("aria-label", `${d.name}: ${row.word.textContent}${d.cause ? `, ${d.cause}` : ""}`);
  row.drain.disabled = d.state === "Draining" || d.state === "ForcedDown";
  row.force.disabled = d.state === "ForcedDown";
  row.bring.disabled = d.serves && d.state !== "SlowStart" && !cooling;
  text(row.flight, d.inFlight ? `${d.inFlight} in flight` : "");
  text(row.availability, nines(d.availability));
  const beat = d.heartbeat;
  text(row.heart, !beat ? "–" : beat.fault ? "✕ missed" : `♥ ${ms(Math.round(beat.milliseconds))}`);
  text(row.heartSub, !beat ? "" : beat.fault ?? (d.load ? `load ${d.load.running + d.load.waiting}${d.load.capacity ? ` of ${d.load.capacity}` : ""}` : beat.level.toLowerCase()));
  showLimits(row, d.limits ?? []);
  showLoss(row);
  showTime(row);
}

// What would become of the calls if the endpoint were lost now.
function showLoss(row) {
  const lost = row.data.lostShare;
  tone(row.lose, lost == null || lost < .005 ? "good" : lost > .05 ? "bad" : "warn");
  text(row.lose, lost == null ? "–" : lost < .005 ? "yes" : `${Math.round(lost * 100)} %`);
  text(row.loseSub, lost == null ? "the only one" : lost < .005 ? "" : "would wait or fail");
}

function showLimits(row, limits) {
  while (row.limits.children.length > limits.length) row.limits.lastChild.remove();
  limits.forEach((limit, i) => {
    const line = row.limits.children[i] ?? row.limits.appendChild(h("div", null, h("span"), h("span"), h("div", { className: "meter" }, h("i"))));
    const part = limit.limit > 0 ? limit.used / limit.limit : 0;
    text(line.children[0], limit.name.replace("account.", "account "));
    text(line.children[1], `${compact(limit.used)}/${compact(limit.limit)}`);
    tone(line, part >= 1 ? "bad" : part > .8 ? "warn" : "cool");
    line.children[2].firstChild.style.transform = `scaleX(${Math.min(1, part)})`;
  });
}
const compact = n => n >= 1e6 ? `${+(n / 1e6).toFixed(1)}M` : n >= 1e4 ? `${Math.round(n / 1e3)}k` : `${n}`;

// What changes with time alone: ages, countdowns, slow starts.
function showTime(row) {
  const d = row.data, at = now();
  text(row.age, isCooling(d) && d.state === "Healthy" ? "" : ` · ${since(d.since)}`);
  let why = d.cause ?? "", part = null, colour = null;
  const wait = until => Math.max(0, Math.ceil((Date.parse(until) - at) / 1000));
  if (d.state === "Ejected" && d.until) {
    const total = Date.parse(d.until) - Date.parse(d.since);
    part = total > 0 ? (at - Date.parse(d.since)) / total : 1;
    why = `${wait(d.until) ? `trial in ${wait(d.until)} s` : "trial with the next call"} · ${why}`;
  } else if (d.state === "Trial") why = `one call is asking · ${why}`;
  if (d.cooldownForGood) why = `needs a person · ${d.cooldownCause}`;
  else if (d.cooldownUntil) { why = `waits ${wait(d.cooldownUntil)} s, as asked · ${d.cooldownCause}`; colour = "warn"; }
  else if (d.serves && d.slowStartShare < 1) { part = d.slowStartShare; why = `takes ${percent(d.slowStartShare)} of its share`; colour = "cool"; }
  if (d.state === "Draining") why = d.inFlight ? `${d.inFlight} still in flight` : "empty";
  if (d.ejections > 1 && d.state === "Ejected") why += ` · ${d.ejections}× lately`;
  text(row.cause, why);
  row.cause.title = why;
  row.meter.hidden = part == null;
  if (part != null) { row.bar.style.transform = `scaleX(${Math.min(1, Math.max(0, part))})`; tone(row.meter, colour); }
}

function showHistory(row, total) {
  const recent = Math.max(1, Math.round(60 / step)), calls = row.calls.slice(-recent), mine = sum(calls);
  const share = total > 0 ? mine / total : 0;
  text(row.share, total > 0 ? percent(share) : "–");
  row.shareBar.style.transform = `scaleX(${share})`;
  tone(row.latency.svg.parentNode, "cool");
  draw(row.latency, row.ms);
  text(row.latencyNow, ms(row.ms.findLast(v => v >= 0) ?? -1));
  bars(row.errors, row.calls, row.faults);
  const failed = sum(row.faults.slice(-recent));
  text(row.errorsNow, mine > 0 ? percent(failed / mine, failed && failed / mine < .1 ? 1 : 0) : "–");
  row.errorsNow.classList.toggle("some", failed > 0);
}

// ---- one pool

function newPool(name) {
  const pool = { name, rows: new Map(), data: null };
  const figure = (key, word) => {
    const f = { box: h("div", { className: "figure" }), value: h("b"), small: h("small"), bar: null };
    f.box.append(h("span", null, word), f.value, f.small);
    if (key === "budget") f.box.append(h("div", { className: "meter" }, f.bar = h("i")));
    return pool[key] = f;
  };
  const figures = h("div", { className: "figures" }, ...[["rate", "Calls"], ["delivered", "Delivered"], ["predicted", "Predicted"], ["budget", "Error budget left"], ["burn", "Burn rate"], ["flight", "In flight"], ["waiting", "Waiting"], ["retry", "Retry budget"]].map(([k, w]) => figure(k, w).box));
  pool.pill = h("span", { className: "pill" });
  pool.tiers = h("span", { className: "tiers ordering" });
  pool.chips = h("div", { className: "chips" });
  pool.body = h("tbody");
  pool.head = h("header", null,
    h("div", { className: "title" }, h("h2", null, name), pool.pill, h("span", { className: "space" }), pool.tiers, h("button", { type: "button", title: "Why each endpoint would or would not be chosen (e)", onclick: () => explain(name) }, "Explain")),
    pool.chips, figures, (pool.chart = newChart()).element);
  const head = [["c-who", "Endpoint"], ["c-state", "State, since, why"], ["c-share", "Share, last minute"], ["c-latency", "Latency"], ["c-errors", "Errors"], ["c-limits", "Limits"], ["c-heart", "Heartbeat"], ["c-availability", "Up"], ["c-lose", "Can I lose it?"], ["c-acts ordering", ""]];
  pool.element = h("section", { className: "pool", "data-pool": name, ariaLabel: `Pool ${name}` }, pool.head,
    h("table", null, h("thead", null, h("tr", null, ...head.map(([className, word]) => h("th", { className, scope: "col" }, word || h("span", { className: "hidden" }, "Orders"))))), pool.body),
    pool.fleet = h("details", { className: "fleet", hidden: true }, pool.fleetWord = h("summary"), pool.fleetBody = h("div")));
  return pool;
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
    if (isWhole && endpoint.history) ({ calls: row.calls, milliseconds: row.ms, faults: row.faults } = endpoint.history);
    else if (moved && endpoint.last)
      [row.calls, row.ms, row.faults].forEach((series, i) => { series.push(endpoint.last[i]); if (series.length > POINTS) series.shift(); });
    showRow(row);
  }
  for (const name of left) { pool.rows.get(name).element.remove(); pool.rows.delete(name); }
  if (isWhole || moved || !pool.drawn) {
    pool.drawn = true;
    const recent = Math.max(1, Math.round(60 / step)), total = sum([...pool.rows.values()].map(r => sum(r.calls.slice(-recent))));
    for (const row of pool.rows.values()) showHistory(row, total);
    pool.chart.element.classList.toggle("tall", pool.rows.size <= 8);
    drawChart(pool.chart, [...pool.rows.values()]);
    const last = sum([...pool.rows.values()].map(r => r.calls.at(-1) ?? 0)) / step;
    text(pool.rate.value, `${last.toFixed(last < 10 ? 1 : 0)} /s`);
    text(pool.rate.small, total ? `${total} in the last minute` : "none in the last minute");
  }
  showPool(pool);
  arrange(pool);
}

function showPool(pool) {
  const d = pool.data, a = d.availability, ill = d.endpoints.filter(e => !e.serves || e.state === "Suspect");
  const look = d.state === "outage" ? "bad" : d.state === "degraded" ? "warn" : "good";
  tone(pool.element, look);
  text(pool.pill, d.state === "outage" ? `Outage · none of ${d.endpoints.length} serves` : d.servingTier !== d.firstTier ? `Tier ${d.servingTier} stands in for tier ${d.firstTier}` : d.serving === d.endpoints.length ? `All ${d.serving} serve` : `${d.serving} of ${d.endpoints.length} serve`);
  set(pool.delivered, nines(a.delivered), a.calls ? `${a.failures} of ${compact(a.calls)} lost` : "no calls yet", a.delivered != null && a.delivered < a.target ? "bad" : null);
  set(pool.predicted, nines(a.predicted), `target ${nines(a.target)}`);
  set(pool.budget, percent(a.budgetLeft), a.budgetLeft < 0 ? "overspent" : "of the period's", a.budgetLeft < .1 ? "bad" : a.budgetLeft < .5 ? "warn" : null);
  pool.budget.bar.style.transform = `scaleX(${Math.min(1, Math.max(0, a.budgetLeft))})`;
  const fast = a.burn[0], firing = a.burn.find(b => b.firing);
  set(pool.burn, fast ? `${fast.long.toFixed(fast.long < 10 ? 1 : 0)}×` : "–", firing ? `alert: ${firing.alert}` : a.burn.slice(1).map(b => `${b.alert} ${b.long.toFixed(1)}×`).join(" · "), firing ? "bad" : null);
  set(pool.flight, `${d.inFlight}`, d.utilization != null ? `${percent(d.utilization)} full` : "attempts");
  set(pool.waiting, `${d.waiting}`, d.wantedEndpoints != null ? `${d.wantedEndpoints} endpoint${d.wantedEndpoints === 1 ? "" : "s"} wanted` : "calls", d.waiting ? "warn" : null);
  set(pool.retry, d.retryBudget.toFixed(1), "retries to spend", d.retryBudget < 1 ? "warn" : null);
  showChips(pool, ill);
  showTiers(pool, d);
  showFleet(pool, d.fleet);
}

// Which replica sees what, and the orders that hold for all of them.
function showFleet(pool, fleet) {
  pool.fleet.hidden = !fleet;
  if (!fleet) return;
  const ejected = fleet.replicas.filter(r => r.endpoints.some(e => e.opinion === "Ejected")).length;
  tone(pool.fleet, !fleet.connected ? "warn" : ejected ? "cool" : "good");
  text(pool.fleetWord, `Fleet · ${fleet.replicas.length} replica${fleet.replicas.length === 1 ? "" : "s"}${ejected ? ` · ${ejected} with an ejection` : ""} · ${fleet.connected ? `link answers in ${fleet.lag} ms` : fleet.problem ?? "link down"}`);
  const key = JSON.stringify([fleet.replicas, fleet.orders]);
  if (pool.fleetKey === key) return;
  pool.fleetKey = key;
  const at = time => new Date(time).toLocaleTimeString();
  const seen = e => `${e.endpoint}: ${e.opinion === "Ejected" ? `ejected (${e.fault})` : "serves"} since ${at(e.since)}${e.counts ? "" : ", asked in another way, not counted"}`;
  pool.fleetBody.replaceChildren(
    h("ul", null, ...fleet.replicas.map(r => h("li", null, h("b", null, r.name + (r.isThis ? " (this one)" : "")), " ", r.endpoints.length ? r.endpoints.map(seen).join(" · ") : "no fresh opinion"))),
    fleet.orders.length ? h("ul", null, ...fleet.orders.map(o => h("li", null, `${o.order} ${o.endpoint ?? `tier ${o.tier ?? "lowest"}`} by ${o.by} at ${o.replica}, ${at(o.at)}${o.reason ? `: ${o.reason}` : ""}`))) : null ?? "");
}
function set(figure, value, small, look) { text(figure.value, value); text(figure.small, small); figure.small.title = small; tone(figure.box, look); }

function showChips(pool, ill) {
  const shown = ill.slice(0, 8);
  while (pool.chips.children.length > shown.length) pool.chips.lastChild.remove();
  shown.forEach((e, i) => {
    const chip = pool.chips.children[i] ?? pool.chips.appendChild(h("button", { type: "button", className: "chip", onclick: event => focusRow(pool.rows.get(event.currentTarget.dataset.endpoint)) }, h("b"), h("span")));
    const [look, , word] = lookOf(e), age = word === "Cooling down" ? "" : ` for ${since(e.since)}`;
    chip.dataset.endpoint = e.name;
    tone(chip, look);
    text(chip.children[0], e.name);
    text(chip.children[1], ` ${word.toLowerCase()}${age}${e.cooldownCause ?? e.cause ? ` · ${e.cooldownCause ?? e.cause}` : ""}`);
  });
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

function arrange(pool) {
  const wanted = $("find").value.trim().toLowerCase(), rank = e => e.serves ? (e.state === "Healthy" ? 2 : 1) : 0;
  let list = pool.data.endpoints.map(e => pool.rows.get(e.name));
  if (illFirst) list = list.toSorted((a, b) => rank(a.data) - rank(b.data));
  list.forEach((row, i) => {
    row.element.hidden = wanted !== "" && ![row.name, row.data.state, row.data.model, row.data.zone, row.data.provider].some(v => v?.toLowerCase().includes(wanted));
    if (pool.body.children[i] !== row.element) pool.body.insertBefore(row.element, pool.body.children[i] ?? null);
  });
  if (!document.querySelector("tr[tabindex='0']")) list[0]?.element.setAttribute("tabindex", "0");
}

function focusRow(row) {
  if (!row) return;
  document.querySelector("tr[tabindex='0']")?.setAttribute("tabindex", "-1");
  row.element.tabIndex = 0;
  row.element.focus();
  row.element.scrollIntoView({ block: "nearest" });
}

// ---- what the application has beside its pools

const panels = new Map(), STATES = { well: ["good", "✓", "Well"], degraded: ["warn", "!", "Degraded"], outage: ["bad", "✕", "Overdue"] };
function takePanels(list) {
  const left = new Set(panels.keys());
  for (const data of list) {
    left.delete(data.name);
    let panel = panels.get(data.name);
    if (!panel) {
      panel = { pill: h("span", { className: "pill" }), summary: h("p", { className: "summary" }), rows: h("ul", { className: "parts" }) };
      panel.element = h("section", { className: "pool beside", "data-panel": data.name, ariaLabel: data.name },
        h("header", null, h("div", { className: "title" }, h("h2", null, data.name), panel.pill), panel.summary), panel.rows);
      panels.set(data.name, panel);
      $("pools").append(panel.element);
    }
    const [look, , word] = STATES[data.state] ?? STATES.outage, key = JSON.stringify(data.rows);
    tone(panel.element, look);
    text(panel.pill, word);
    text(panel.summary, data.summary);
    if (panel.key === key) continue;
    panel.key = key;
    panel.rows.replaceChildren(...data.rows.map(r => {
      const [tint, mark] = STATES[r.state] ?? STATES.outage;
      return h("li", { className: tint, "data-part": r.name }, h("span", { className: "mark", ariaHidden: "true" }, mark), h("b", null, r.name), h("span", { className: "sub" }, r.text));
    }));
  }
  for (const name of left) { panels.get(name).element.remove(); panels.delete(name); }
}

// ---- all of it

function take(status, isWhole) {
  skew = Date.parse(status.at) - Date.now();
  step = status.step;
  const moved = !isWhole && status.point !== point;
  if (moved && point >= 0 && status.point !== point + 1) { connect(); return; } // points were missed: begin anew
  point = status.point;
  const left = new Set(pools.keys());
  for (const pool of status.pools) { left.delete(pool.name); takePool(pool, isWhole, moved); }
  for (const name of left) { pools.get(name).element.remove(); pools.delete(name); }
  takePanels(status.panels ?? []);
  if (isWhole && status.events) {
    $("events").replaceChildren();
    for (const event of status.events) log(event, false);
  }
  verdict();
}

function verdict() {
  const all = [...pools.values()].map(p => p.data), out = all.filter(p => p.state === "outage"), ill = all.flatMap(p => p.endpoints.filter(e => !e.serves).map(e => `${e.name} (${lookOf(e)[2].toLowerCase()})`));
  const look = !all.length ? "idle" : out.length ? "bad" : all.some(p => p.state === "degraded") ? "warn" : "good";
  tone($("pulse"), look);
  text($("verdict"), !all.length ? "There are no pools." : out.length ? `Outage: ${out.map(p => p.name).join(", ")}` : ill.length ? `Not serving: ${ill.slice(0, 6).join(", ")}${ill.length > 6 ? ` and ${ill.length - 6} more` : ""}` : look === "good" ? `All ${sum(all.map(p => p.endpoints.length))} endpoints serve` : "Degraded");
  const colour = { good: "3ecf8e", warn: "f2b84b", bad: "ff5d6c", idle: "8b95a3" }[look];
  const icon = `data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='7' fill='%23${colour}'/%3E%3C/svg%3E`;
  if ($("icon").getAttribute("href") !== icon) $("icon").href = icon;
  document.title = out.length ? "✕ Outage – HaKit" : ill.length ? `${ill.length} out – HaKit` : "HaKit";
}

function log(event, isNew) {
  const look = { bad: "bad", good: "good", warn: "warn", order: "cool" }[event.severity];
  const item = h("li", { className: `${look ?? ""}${isNew ? " new" : ""}`, title: new Date(event.at).toLocaleString(), "data-kind": event.kind },
    h("time", { dateTime: event.at }, new Date(event.at).toLocaleTimeString([], { hour12: false })),
    h("span", null, h("b", null, event.endpoint ?? event.pool), ` ${event.text}`));
  $("events").prepend(item);
  while ($("events").children.length > 300) $("events").lastChild.remove();
  $("quiet").hidden = true;
}

let source = null;
function connect() {
  source?.close();
  source = new EventSource("events");
  const live = () => { lastWord = Date.now(); link("live", "live"); };
  source.addEventListener("status", e => { live(); take(JSON.parse(e.data), true); });
  source.addEventListener("tick", e => { live(); take(JSON.parse(e.data), false); });
  source.addEventListener("event", e => { live(); log(JSON.parse(e.data), true); });
  source.onerror = () => { link("lost", "no contact"); if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000); };
}
function link(state, word) { $("link").dataset.state = state; text($("link").lastElementChild, word); }

// ---- orders

async function ask(pool, endpoint, order, tier) {
  const subject = endpoint ?? `tier ${tier}`, words = {
    drain: ["Drain", "It finishes what it has in flight and takes nothing new, until it is brought up again."],
    "force-down": ["Force down", "It takes nothing more from now on. What is in flight on it goes on."],
    "bring-up": ["Bring up", "It comes back in a slow start; an exhausted quota or a refused key is taken for good again."],
    promote: ["Promote", "This tier is used first from now on; those before it come last."],
    "fail-back": ["Fail back to", "The lowest tier is used first again."],
  }[order];
  if (order === "force-down" || order === "promote") {
    text($("sure-title"), `${words[0]} ${subject}?`); text($("sure-text"), words[1]); text($("sure-yes"), words[0]);
    $("sure").returnValue = "";
    $("sure").showModal();
    if (await new Promise(done => $("sure").addEventListener("close", () => done($("sure").returnValue), { once: true })) !== "yes") return;
  }
  const path = endpoint ? `pools/${encodeURIComponent(pool)}/endpoints/${encodeURIComponent(endpoint)}/${order}` : `pools/${encodeURIComponent(pool)}/${order}?tier=${tier}`;
  try {
    token ??= await (await must(fetch("token", { credentials: "same-origin" }))).json();
    const answer = await must(fetch(path, { method: "POST", credentials: "same-origin", headers: { [token.header]: token.token } }));
    toast(answer.ok ? `${words[0]} ${subject}: done.` : "Refused.");
  } catch (problem) {
    token = null;
    toast(`${words[0]} ${subject}: ${problem.message}`);
  }
}
async function must(answer) {
  const response = await answer;
  if (response.ok) return response;
  throw new Error(response.status === 401 || response.status === 403 ? "you may not give orders." : (await response.json().catch(() => null))?.text ?? `answered ${response.status}.`);
}
let toasting = 0;
function toast(words) { text($("toast"), words); $("toast").classList.add("on"); clearTimeout(toasting); toasting = setTimeout(() => $("toast").classList.remove("on"), 3500); }

// ---- explain

let explained = null;
function explain(pool) { explained = pool; text($("explain-title"), `Explain ${pool}`); if (!$("explain").open) $("explain").showModal(); answer(); }
async function answer() {
  if (!explained) return;
  const query = new URLSearchParams({ pool: explained, model: $("ask-model").value, inputTokens: $("ask-tokens").value || "0", tools: $("ask-tools").checked, vision: $("ask-vision").checked });
  const response = await fetch(`explain?${query}`, { credentials: "same-origin" });
  if (!response.ok) return toast(`Explain answered ${response.status}.`);
  const list = (await response.json()).endpoints.toSorted((a, b) => !!a.notAdmittedBy - !!b.notAdmittedBy || a.tier - b.tier || a.total - b.total), most = Math.max(1e-9, ...list.map(e => e.total));
  const part = (name, value) => { const i = h("i", { className: `t-${name}`, title: `${name} ${value} s` }); i.style.width = `${100 * value / most}%`; return i; };
  $("answer").replaceChildren(h("table", null,
    h("thead", null, h("tr", null, ...["Endpoint", "Tier", "May serve", "Cost", "", "First content", "In flight", "Fails", "Ramp"].map(w => h("th", { scope: "col" }, w)))),
    h("tbody", null, ...list.map(e => {
      const row = h("tr", { className: (LOOKS[e.state] ?? ["idle"])[0] }, ...[h("b", null, e.endpoint), `${e.tier}`,
        e.notAdmittedBy ? `no: ${e.notAdmittedBy}${e.availableIn != null ? `, in ${Math.ceil(e.availableIn)} s` : ""}` : "yes", `${e.total.toFixed(3)} s`,
        h("div", { className: "terms" }, part("time", e.time), part("failure", e.failure), part("zone", e.zone), part("price", e.price)),
        e.firstContentSeconds == null ? "–" : ms(Math.round(1000 * e.firstContentSeconds)), `${e.inFlight}`, percent(e.failureEstimate, 1), percent(e.slowStartShare)].map(c => h("td", null, c)));
      return row;
    }))),
    h("div", { className: "legend" }, ...["time", "failure", "zone", "price"].map(n => h("span", null, h("i", { className: `t-${n}` }), n))));
}
for (const id of ["ask-model", "ask-tokens", "ask-tools", "ask-vision"]) $(id).addEventListener("input", answer);
setInterval(() => $("explain").open && answer(), 2000);

// ---- keys, theme, clock

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
$("order").addEventListener("click", () => { illFirst = !illFirst; $("order").setAttribute("aria-pressed", illFirst); pools.forEach(arrange); });
$("find").addEventListener("input", () => pools.forEach(arrange));
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input")) { if (event.key === "Escape") { event.target.value = ""; pools.forEach(arrange); event.target.blur(); } return; }
  const rows = [...document.querySelectorAll("tr[data-endpoint]:not([hidden])")], here = event.target.closest?.("tr[data-endpoint]") ?? document.querySelector("tr[tabindex='0']"), index = rows.indexOf(here);
  const pool = pools.get(here?.closest("section")?.dataset.pool), order = { d: "drain", f: "force-down", u: "bring-up" }[event.key];
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const moved = event.target === here ? index + (event.key === "ArrowDown" ? 1 : -1) : index, next = rows[Math.max(0, Math.min(rows.length - 1, moved))];
    if (next) focusRow(pools.get(next.closest("section").dataset.pool).rows.get(next.dataset.endpoint));
  } else if (order && orders && pool && event.target === here) { if (!here.querySelector(`[data-order='${order}']`).disabled) ask(pool.name, here.dataset.endpoint, order); }
  else if (event.key === "e" && pool) explain(pool.name);
  else if (event.key === "i") $("order").click();
  else if (event.key === "t") $("theme").click();
  else if (event.key === "/") $("find").focus();
  else if (event.key === "?") $("keys").showModal();
  else return;
  event.preventDefault();
});
setInterval(() => {
  if (document.hidden) return;
  for (const pool of pools.values()) {
    if (!pool.data) continue;
    for (const row of pool.rows.values()) showTime(row);
    showChips(pool, pool.data.endpoints.filter(e => !e.serves || e.state === "Suspect"));
  }
  if (lastWord && Date.now() - lastWord > 8000) link("lost", `no contact for ${span((Date.now() - lastWord) / 1000)}`);
}, 1000);
useTheme(theme);
connect();
