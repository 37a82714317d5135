// Shows the replicas of a pool: the state of the link between them, the ejections of each replica, and the orders for all replicas.
import { count, h, span, text, timeOf, tone } from "./base.js";

export function newFleet() {
  const f = { word: h("span", { className: "pill" }), lead: h("p", { className: "summary" }), list: h("ul", { className: "parts" }), orders: h("ul", { className: "parts" }) };
  f.element = h("section", { className: "fleet", hidden: true, ariaLabel: "Fleet" }, h("div", { className: "title" }, h("h3", null, "Fleet"), f.word), f.lead, f.list, f.orders);
  return f;
}

export function showFleet(f, fleet) {
  f.element.hidden = !fleet;
  if (!fleet) return;
  const ejecting = fleet.replicas.filter(r => r.endpoints.some(e => e.opinion === "Ejected")).length, look = !fleet.connected ? "warn" : ejecting ? "cool" : "good";
  tone(f.element, look);
  text(f.word, fleet.connected ? `✓ ${count(fleet.replicas.length, "replica")}` : "! Link down");
  text(f.lead, fleet.connected
    ? `This is ${fleet.replica}. The link answers in ${fleet.lag} ms.${ejecting ? ` ${count(ejecting, "replica")} ${ejecting === 1 ? "has" : "have"} an endpoint ejected.` : ""}`
    : `This is ${fleet.replica}. ${fleet.problem ?? "The link is down."} Without the link this replica uses only its own observations. No call waits for the link.${fleet.age != null ? ` The store last answered ${span(fleet.age)} ago.` : ""}`);
  const key = JSON.stringify([fleet.replicas, fleet.orders]);
  if (f.key === key) return;
  f.key = key;
  f.list.replaceChildren(...fleet.replicas.map(replica => {
    const out = replica.endpoints.filter(e => e.opinion === "Ejected"), well = replica.endpoints.length - out.length;
    const words = [...out.map(e => `${e.endpoint} ejected (${e.fault}), last at ${timeOf(e.since)}${e.counts ? "" : ", not counted (its settings differ)"}`), well ? `${count(well, "endpoint")} serve${well === 1 ? "s" : ""}` : null].filter(Boolean);
    return h("li", { className: out.length ? "bad" : replica.endpoints.length ? "good" : "idle", "data-replica": replica.name },
      h("span", { className: "mark", ariaHidden: "true" }, out.length ? "✕" : replica.endpoints.length ? "✓" : "·"), h("b", null, replica.name + (replica.isThis ? " (this one)" : "")), h("span", { className: "sub" }, words.join(" · ") || "no fresh opinion"));
  }));
  f.orders.replaceChildren(...fleet.orders.map(o => h("li", { className: "cool" }, h("span", { className: "mark", ariaHidden: "true" }, "■"), h("b", null, `${o.order} ${o.endpoint ?? `tier ${o.tier ?? "lowest"}`}`),
    h("span", { className: "sub" }, `by ${o.by} at ${o.replica}, ${timeOf(o.at)}${o.reason ? `: ${o.reason}` : ""}`))));
}
