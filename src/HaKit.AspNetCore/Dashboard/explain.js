// Shows why each endpoint would or would not be chosen now.
import { $, h, ms, percent, text, toast } from "./base.js";
import { stateColour } from "./rows.js";

let explained = null;
export function explain(pool) { explained = pool; text($("explain-title"), `Explain ${pool}`); if (!$("explain").open) $("explain").showModal(); answer(); }
async function answer() {
  if (!explained) return;
  const query = new URLSearchParams({ pool: explained, model: $("ask-model").value, inputTokens: $("ask-tokens").value || "0", tools: $("ask-tools").checked, vision: $("ask-vision").checked });
  const response = await fetch(`explain?${query}`, { credentials: "same-origin" }).catch(() => null);
  if (!response?.ok) return toast(response ? `Explain answered ${response.status}.` : "No contact with the application.");
  const list = (await response.json()).endpoints.toSorted((a, b) => !!a.notAdmittedBy - !!b.notAdmittedBy || a.tier - b.tier || a.total - b.total), most = Math.max(1e-9, ...list.map(e => e.total));
  const part = (name, value) => { const i = h("i", { className: `t-${name}`, title: `${name} ${value} s` }); i.style.width = `${100 * value / most}%`; return i; };
  $("answer").replaceChildren(h("table", null,
    h("thead", null, h("tr", null, ...["Endpoint", "Tier", "May serve", "Cost", "", "First content", "In flight", "Fails", "Ramp"].map(w => h("th", { scope: "col" }, w)))),
    h("tbody", null, ...list.map(e => {
      const row = h("tr", { className: stateColour(e.state) }, ...[h("b", null, e.endpoint), `${e.tier}`,
        e.notAdmittedBy ? `no: ${e.notAdmittedBy}${e.availableIn != null ? `, in ${Math.ceil(e.availableIn)} s` : ""}` : "yes", `${e.total.toFixed(3)} s`,
        h("div", { className: "terms" }, part("time", e.time), part("failure", e.failure), part("zone", e.zone), part("price", e.price)),
        e.firstContentSeconds == null ? "–" : ms(Math.round(1000 * e.firstContentSeconds)), `${e.inFlight}`, percent(e.failureEstimate, 1), percent(e.slowStartShare)].map(c => h("td", null, c)));
      return row;
    }))),
    h("div", { className: "legend" }, ...["time", "failure", "zone", "price"].map(n => h("span", null, h("i", { className: `t-${n}` }), n))));
}
for (const id of ["ask-model", "ask-tokens", "ask-tools", "ask-vision"]) $(id).addEventListener("input", answer);
setInterval(() => $("explain").open && answer(), 2000);
