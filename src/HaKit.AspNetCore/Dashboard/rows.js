// Shows one endpoint: as a row of its pool's table, or as a card on a phone.
import { clock, compact, h, ms, nines, now, percent, POINTS, since, span, sum, text, tone } from "./base.js";
import { bars, draw, HUES, OTHERS, spark } from "./charts.js";
import { ask } from "./orders.js";

const LOOKS = { // state: tone, mark, word
  Healthy: ["good", "✓", "Healthy"], Suspect: ["warn", "?", "Suspect"], Ejected: ["bad", "✕", "Ejected"], Trial: ["bad", "⋯", "Ejected, on trial"],
  SlowStart: ["cool", "↗", "Slow start"], Draining: ["idle", "⏏", "Draining"], ForcedDown: ["idle", "■", "Forced down"],
};

// A cooldown is independent of the state. The page shows the cooldown if the state of the endpoint is healthy or suspect.
const isCooling = e => e.cooldownUntil != null || e.cooldownForGood === true;
const isPlain = e => e.state === "Healthy" || e.state === "Suspect";

// An endpoint is green only if it serves, answers its heartbeats, and has the requested model.
export function lookOf(e) {
  if (isCooling(e) && isPlain(e)) return e.cooldownForGood ? ["bad", "✕", "Refused"] : ["warn", "❄", "Cooling down"];
  if (!e.serves && isPlain(e)) return ["bad", "✕", "Unreachable"];
  if (e.lacksModel && e.serves) return ["bad", "✕", "Lacks the model"];
  if (e.state === "Healthy" && e.heartbeat?.fault) return ["warn", "?", "Misses heartbeats"];
  return LOOKS[e.state] ?? ["idle", "·", e.state];
}
export const isGreen = e => lookOf(e)[0] === "good";
export const stateColour = state => (LOOKS[state] ?? ["idle"])[0];

export function newRow(pool, name) {
  const row = { name, data: null, calls: [], ms: [], faults: [], hue: HUES[pool.rows.size] ?? OTHERS };
  const cell = (className, label, ...children) => h("td", { className, "data-label": label }, ...children);
  row.mark = h("span", { className: "mark", ariaHidden: "true" });
  row.title = h("div", { className: "name" }, name);
  row.host = h("div", { className: "sub host" });
  row.sub = h("div", { className: "sub" });
  row.state = h("b", { className: "state" });
  row.word = h("span"); row.age = h("em"); row.state.append(row.word, row.age);
  row.cause = h("div", { className: "sub" });
  row.bar = h("i"); row.meter = h("div", { className: "meter", hidden: true }, row.bar);
  row.share = h("b"); row.flight = h("span", { className: "sub" }); row.shareBar = h("i");
  row.latency = spark(); row.latencyNow = h("b"); row.latencySub = h("div", { className: "sub" });
  row.errors = spark(); row.errorsNow = h("b");
  row.heart = h("div"); row.heartSub = h("div", { className: "sub" });
  row.limits = h("div", { className: "limits" });
  row.availability = h("span");
  row.lose = h("b"); row.loseSub = h("div", { className: "sub" });
  const act = (order, word, meaning) => h("button", { type: "button", className: "ordering", "data-order": order, title: meaning, ariaLabel: `${meaning} ${name}`, onclick: () => ask(pool.name, name, order) }, word);
  row.drain = act("drain", "Drain", "Drain"); row.force = act("force-down", "Down", "Force down"); row.bring = act("bring-up", "Up", "Bring up");
  row.element = h("tr", { tabIndex: -1, "data-endpoint": name },
    cell("c-who", "", h("div", { className: "who" }, row.mark, h("div", null, row.title, row.host, row.sub))),
    cell("c-state", "", h("div", { className: "why" }, row.state, row.cause, row.meter)),
    cell("c-share", "Share", h("div", { className: "share" }, row.share, " ", row.flight, h("div", { className: "meter" }, row.shareBar))),
    cell("c-latency", "Time", h("div", { className: "spark" }, row.latency.svg, h("div", null, row.latencyNow, row.latencySub))),
    cell("c-errors", "Errors", h("div", { className: "spark errors" }, row.errors.svg, row.errorsNow)),
    cell("c-limits", "Limits", row.limits), cell("c-heart", "Heartbeat", row.heart, row.heartSub), cell("c-availability", "Up", row.availability), cell("c-lose", "", row.lose, row.loseSub),
    cell("c-acts ordering", "", h("div", { className: "acts" }, row.drain, row.force, row.bring)));
  row.element.style.setProperty("--hue", row.hue);
  return row;
}

export function showRow(row) {
  const d = row.data, [tint, mark, word] = lookOf(d), cooling = isCooling(d);
  tone(row.element, tint);
  row.element.classList.toggle("ill", tint === "bad" || tint === "warn");
  text(row.mark, mark);
  text(row.word, word);
  text(row.host, d.address?.replace(/^https?:\/\//, "") ?? "");
  text(row.sub, [d.zone, `tier ${d.tier}`, d.weight !== 1 && `weight ${d.weight}`, d.model, d.provider].filter(Boolean).join(" · "));
  row.element.setAttribute("aria-label", `${d.name}: ${word}${d.cause ? `, ${d.cause}` : ""}`);
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

// Shows the share of the calls that would wait or fail if the endpoint were lost now.
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

// Shows the values that change with time alone: ages, countdowns, slow starts. The age of an endpoint out of service starts when it leaves service. A trial does
// not restart this age.
export function showTime(row) {
  const d = row.data, at = now();
  text(row.age, ` · ${since(d.outSince ?? d.since)}`);
  let why = d.cause ?? "", part = null, colour = null;
  const wait = until => Math.max(0, Math.ceil((Date.parse(until) - at) / 1000));
  if (d.state === "Ejected" && d.until) {
    const total = Date.parse(d.until) - Date.parse(d.since);
    part = total > 0 ? (at - Date.parse(d.since)) / total : 1;
    why = `${why} · ${wait(d.until) ? `trial in ${span(wait(d.until))}` : "the next call is a trial"}`;
  } else if (d.state === "Trial") why = `${why} · a trial is in flight`;
  if (d.cooldownForGood) why = `${d.cooldownCause} · a person must repair this`;
  else if (d.cooldownUntil) { why = `${d.cooldownCause} · cools down for ${span(wait(d.cooldownUntil))}`; colour = "warn"; }
  else if (d.serves && d.slowStartShare < 1) { part = d.slowStartShare; why = `takes ${percent(d.slowStartShare)} of its share`; colour = "cool"; }
  if (d.state === "Draining") why = d.inFlight ? `${d.inFlight} still in flight` : "nothing in flight";
  if (d.ejections > 1 && d.state === "Ejected") why += ` · ${d.ejections}× lately`;
  text(row.cause, why);
  row.meter.hidden = part == null;
  if (part != null) { row.bar.style.transform = `scaleX(${Math.min(1, Math.max(0, part))})`; tone(row.meter, colour); }
}

export function keepHistory(row, isWhole, moved) {
  const d = row.data;
  if (isWhole && d.history) ({ calls: row.calls, milliseconds: row.ms, faults: row.faults } = d.history);
  else if (moved && d.last)
    [row.calls, row.ms, row.faults].forEach((series, i) => { series.push(d.last[i]); if (series.length > POINTS) series.shift(); });
}

export function showHistory(row, total) {
  const recent = Math.max(1, Math.round(60 / clock.step)), mine = sum(row.calls.slice(-recent)), share = total > 0 ? mine / total : 0;
  text(row.share, total > 0 ? percent(share) : "–");
  row.shareBar.style.transform = `scaleX(${share})`;
  tone(row.latency.svg.parentNode, "cool");
  draw(row.latency, row.ms);
  showLatency(row);
  bars(row.errors, row.calls, row.faults);
  const failed = sum(row.faults.slice(-recent));
  text(row.errorsNow, mine > 0 ? `${failed ? "✕ " : ""}${percent(failed / mine, failed && failed / mine < .1 ? 1 : 0)}` : "–");
  row.errorsNow.title = `${failed} of ${mine} attempts failed in the last minute`;
  row.errorsNow.classList.toggle("some", failed > 0);
}

// Shows the times of streams to their first content, or of plain answers to their end. Until twenty times are known, it shows the mean of one step.
function showLatency(row) {
  const { streamTimes, answerTimes } = row.data, times = streamTimes ?? answerTimes, word = streamTimes ? "to first content" : "whole answer";
  const mean = row.ms.findLast(v => v >= 0) ?? -1;
  text(row.latencyNow, times ? `p50 ${ms(times[0])}` : ms(mean));
  text(row.latencySub, times ? `p95 ${ms(times[1])} ${word}` : mean < 0 ? "no answers yet" : "mean so far");
  row.latency.svg.parentNode.title = [
    streamTimes && `Streams, to their first content: p50 ${ms(streamTimes[0])}, p95 ${ms(streamTimes[1])}.`,
    answerTimes && `Plain answers, to their end: p50 ${ms(answerTimes[0])}, p95 ${ms(answerTimes[1])}.`,
    `The line: the mean of each ${clock.step} s.`].filter(Boolean).join("\n");
}
