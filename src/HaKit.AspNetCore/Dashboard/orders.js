// Orders of an operator, each with the page's antiforgery token.
import { $, text, toast } from "./base.js";

let token = null;
export async function ask(pool, endpoint, order, tier) {
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
