// Sparklines of an endpoint, and the chart of a pool.
import { SVG, POINTS, clock, h, span, sum, text } from "./base.js";

export const HUES = ["#5aa9ff", "#3ecf8e", "#b58cff", "#f2b84b", "#38c6d9", "#ff8fb1", "#9bd15a", "#f08a5d", "#7f8cff", "#5fd6b4", "#d68cf0"], OTHERS = "#66727f";

export function spark() {
  const svg = document.createElementNS(SVG, "svg"), under = document.createElementNS(SVG, "path"), line = document.createElementNS(SVG, "path");
  svg.setAttribute("class", "line"); svg.setAttribute("viewBox", "0 0 110 30"); svg.setAttribute("preserveAspectRatio", "none"); svg.setAttribute("aria-hidden", "true");
  under.setAttribute("class", "under");
  svg.append(under, line);
  return { svg, under, line };
}
const x = i => (POINTS - 1 - i) * -110 / (POINTS - 1) + 110;

export function draw(s, values) {
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

export function bars(s, calls, faults) {
  const shift = POINTS - calls.length;
  s.line.setAttribute("class", "bars");
  s.under.setAttribute("d", "M0 29.5H110V30H0Z");
  s.line.setAttribute("d", faults.map((f, i) => {
    if (!f) return "";
    const height = Math.max(3, 28 * Math.min(1, f / Math.max(1, calls[i]))), left = x(i + shift) - 1.2;
    return `M${left.toFixed(1)} 30V${(30 - height).toFixed(1)}h2V30Z`;
  }).join(""));
}

// The chart stacks the attempts of all endpoints in each step. Failed attempts are at the bottom, in red with stripes.
export function newChart() {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 590 100"); svg.setAttribute("preserveAspectRatio", "none"); svg.setAttribute("aria-hidden", "true");
  const chart = { svg, top: h("span", { className: "top-mark" }), from: h("span"), none: h("span", { className: "none" }, "No calls in this time") };
  chart.element = h("div", { className: "chart", role: "img" }, svg, chart.top, chart.none, h("div", { className: "axis" }, chart.from, h("span", { className: "key" }, "red: failed"), h("span", null, "now")));
  return chart;
}

export function drawChart(chart, rows) {
  const length = Math.max(2, ...rows.map(r => r.calls.length)), at = (series, i) => series[series.length - length + i] ?? 0, left = i => (590 * i / (length - 1)).toFixed(1);
  const busy = rows.filter(r => sum(r.calls) > 0), lanes = busy.filter(r => r.hue !== OTHERS).map(r => ({ hue: r.hue, values: Array.from({ length }, (_, i) => at(r.calls, i)) }));
  const others = busy.filter(r => r.hue === OTHERS); // the endpoints without a colour of their own share one lane
  if (others.length) lanes.push({ hue: OTHERS, values: Array.from({ length }, (_, i) => sum(others.map(r => at(r.calls, i)))) });
  const totals = Array.from({ length }, (_, i) => sum(lanes.map(l => l.values[i]))), lost = totals.map((_, i) => sum(rows.map(r => at(r.faults, i)))), top = Math.max(4, ...totals) * 1.08;
  const y = value => (100 - 100 * value / top).toFixed(2), base = new Array(length).fill(0);
  chart.none.hidden = lanes.length > 0;
  text(chart.top, lanes.length ? `attempts: ${(Math.max(...totals) / clock.step).toFixed(1)} /s at most` : "");
  text(chart.from, `${span(length * clock.step)} ago`);
  chart.element.setAttribute("aria-label", `Attempts of the last ${span(length * clock.step)}: ${sum(totals)}, of which ${sum(lost)} failed`);
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
