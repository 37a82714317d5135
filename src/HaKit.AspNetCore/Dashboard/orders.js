// Orders of an operator, each with the page's antiforgery token.
import { $, text, toast } from "./base.js";

let token = null;
export async function ask(pool, endpoint, order, tier) {
  const subject = endpoint ?? `tier ${tier}`, words = {
    drain: ["Drain", "Its attempts in flight run to their end. It gets no new attempts until it is brought up again."],
    "force-down": ["Force down", "It gets no new attempts from now on. Its attempts in flight continue."],
    "bring-up": ["Bring up", "It returns with a slow start. An exhausted quota or a refused key is tried again."],
    promote: ["Promote", "The pool uses this tier first from now on, and the tiers before it last."],
    "fail-back": ["Fail back to", "The pool uses the lowest tier first again."],
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
  throw new Error(response.status === 401 || response.status === 403 ? "you are not authorized to give orders." : (await response.json().catch(() => null))?.text ?? `answered ${response.status}.`);
}
