"use strict";
const $ = id => document.getElementById(id);
const faults = [["well", "Well"], ["killed", "Kill"], ["slow", "Slow"], ["throttled", "Throttle"], ["cut", "Cut"], ["flapping", "Flap"]];
const messages = [];

function add(className, text = "") {
  $("talk").querySelector(".empty")?.remove();
  const item = document.createElement("li");
  item.className = className;
  item.textContent = text;
  if (className.includes("live")) item.setAttribute("aria-busy", "true"); // read aloud when it is whole
  $("talk").append(item);
  item.scrollIntoView({ block: "end" });
  return item;
}
add("empty", "Ask anything: the servers are fakes and answer nonsense, but they stream it.");

async function* news(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const data = part.split("\n").filter(l => l.startsWith("data:")).map(l => l.slice(5)).join("\n");
      if (data) yield JSON.parse(data);
    }
  }
}

$("ask").addEventListener("submit", async event => {
  event.preventDefault();
  const text = $("say").value.trim();
  if (!text) return;
  $("say").value = "";
  messages.push({ role: "user", text });
  add("mine", text);
  let answer = add("theirs live"), note = add("note"), endpoint = "";
  try {
    const response = await fetch("chat", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ messages }) });
    if (!response.ok) throw new Error(`answered ${response.status}`);
    for await (const item of news(response)) {
      if (item.type === "wait") { note.className = "note waiting"; note.textContent = `${item.text} (${Math.round(item.seconds)} s)`; }
      else if (item.type === "start") (note.className = "note", note).textContent = `${endpoint = item.endpoint}${item.attempts > 1 ? ` · after ${item.attempts - 1} failover${item.attempts > 2 ? "s" : ""}` : ""}`;
      else if (item.type === "text") answer.textContent += item.text;
      else if (item.type === "cut") {
        answer.className = "theirs lost";
        answer.removeAttribute("aria-busy");
        note.className = "note cut";
        note.textContent = `${item.endpoint} was cut; asking again`;
        answer = add("theirs live");
        note = add("note");
      } else if (item.type === "error") { note.className = "note error"; note.textContent = item.text; }
      else if (item.type === "end") note.textContent += ` · ${item.seconds.toFixed(1)} s`;
      note.scrollIntoView({ block: "end" });
    }
    messages.push({ role: "assistant", text: answer.textContent });
  } catch (problem) {
    note.className = "note error";
    note.textContent = problem.message;
  }
  answer.classList.remove("live");
  answer.removeAttribute("aria-busy");
  answer.dataset.done = endpoint;
});

async function showFaults() {
  const servers = await (await fetch("faults")).json();
  $("faults").replaceChildren(...servers.map(server => {
    const row = document.createElement("div"), name = document.createElement("b"), buttons = document.createElement("div");
    row.className = "server";
    name.textContent = server.name;
    for (const [fault, word] of faults) {
      const button = document.createElement("button");
      button.textContent = word;
      button.dataset.server = server.name;
      button.dataset.fault = fault;
      button.setAttribute("aria-pressed", server.fault === fault);
      button.setAttribute("aria-label", `${word}: ${server.name}`);
      button.addEventListener("click", async () => {
        await fetch(`faults/${server.name}/${fault}`, { method: "POST" });
        await showFaults();
        document.querySelector(`[data-server="${server.name}"][data-fault="${fault}"]`)?.focus();
      });
      buttons.append(button);
    }
    row.append(name, buttons);
    return row;
  }));
}
showFaults();
