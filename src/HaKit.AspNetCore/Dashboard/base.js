// Functions that every part of the page uses. The page gets data from the server and sets it as text. It never reads data as markup.
export const $ = id => document.getElementById(id);
export const SVG = "http://www.w3.org/2000/svg";
export const POINTS = 60;
export const orders = document.documentElement.dataset.orders === "on";

// The lead of the server's clock over this computer's clock (in milliseconds), and the seconds of one point of the history and between two updates.
export const clock = { skew: 0, step: 5, refresh: 1, point: -1 };
export const now = () => Date.now() + clock.skew;

export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {}))
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== "list") element[name] = value;
    else element.setAttribute(name, value);
  element.append(...children.filter(c => c != null));
  return element;
}
export function text(element, value) { if (element.textContent !== value) element.textContent = value; }
export function tone(element, value) {
  if (element.dataset.tone === (value ?? "")) return;
  element.classList.remove("good", "warn", "bad", "cool", "idle");
  if (value) element.classList.add(value);
  element.dataset.tone = value ?? "";
}

// Puts the children in this order. The focused element keeps the focus, even if other elements move.
export function order(parent, children) {
  const focused = document.activeElement;
  children.forEach((child, i) => {
    const there = parent.children[i] ?? null;
    if (there === child) return;
    if (parent.moveBefore && child.parentNode === parent) parent.moveBefore(child, there);
    else parent.insertBefore(child, there);
  });
  if (document.activeElement !== focused && focused?.isConnected) focused.focus({ preventScroll: true });
}

export function span(seconds) {
  seconds = Math.max(0, seconds);
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor(seconds % 86400 / 3600)} h`;
}
export const secondsSince = iso => (now() - Date.parse(iso)) / 1000;
export const since = iso => span(secondsSince(iso));

// A time of day in the time zone of this browser. A time of another day has its date too.
export function timeOf(iso) {
  const time = new Date(iso), word = time.toLocaleTimeString([], { hour12: false });
  return time.toDateString() === new Date(now()).toDateString() ? word : `${time.toLocaleDateString([], { day: "numeric", month: "short" })}, ${word}`;
}
export const zone = () => {
  const minutes = -new Date().getTimezoneOffset(), part = value => String(Math.floor(value)).padStart(2, "0");
  return `${Intl.DateTimeFormat().resolvedOptions().timeZone ?? "local time"}, UTC${minutes < 0 ? "−" : "+"}${part(Math.abs(minutes) / 60)}:${part(Math.abs(minutes) % 60)}`;
};

export const ms = value => value < 0 ? "–" : value < 1000 ? `${value} ms` : `${(value / 1000).toFixed(value < 10000 ? 2 : 1)} s`;
export const percent = (value, digits = 0) => `${(100 * value).toFixed(digits)} %`;
// Shows one digit more than the value has nines.
export function nines(value) {
  if (value == null) return "–";
  if (value >= 1) return "100 %";
  const digits = Math.min(6, Math.max(1, Math.floor(-Math.log10(1 - value) + 1e-9)));
  return `${(Math.floor(value * 100 * 10 ** digits) / 10 ** digits).toFixed(digits)} %`;
}
export const compact = n => n >= 1e6 ? `${+(n / 1e6).toFixed(1)}M` : n >= 1e4 ? `${Math.round(n / 1e3)}k` : `${n}`;
export const count = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
export const sum = values => values.reduce((a, b) => a + b, 0);

let toasting = 0;
export function toast(words) { text($("toast"), words); $("toast").classList.add("on"); clearTimeout(toasting); toasting = setTimeout(() => $("toast").classList.remove("on"), 3500); }
