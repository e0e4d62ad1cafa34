// Callbacks: each on a time axis with its attempts, its body, and another delivery.

import { attempt, call, list } from "./api.js";
import { axis } from "./axis.js";
import { button, empty, h, pretty, put, say, stateTag, time } from "./dom.js";
import { openTask } from "./detail.js";
import { MOST_CARDS, state } from "./state.js";

export const count = () => state.callbacks.length;

export async function load() {
  state.callbacks = await list("callbacks", MOST_CARDS);
}

const COMMAND = () => `curl -X PUT ${location.origin}/_mock/routes -d '{"routes": [{"from": "https://app.example.com", "to": "http://127.0.0.1:9000"}]}'
curl ${location.origin}/evolink/v1/images/generations -H 'Authorization: Bearer my-key' -H 'Content-Type: application/json' \\
  -d '{"model": "gpt-image-2-beta", "prompt": "a fox", "callback_url": "https://app.example.com/done"}'`;

export function render(panel) {
  if (!state.callbacks.length) {
    put(panel, empty("No callback yet. Route a public address to your receiver, and submit with a callback_url:", COMMAND()));
    return;
  }
  put(panel, ...state.callbacks.map((callback) =>
    h("article", { class: "sheet" },
      h("div", { class: "pair" },
        h("span", {}, time(callback.created), ` ${callback.provider} `, stateTag(callback.state)),
        h("span", { class: "bar" },
          button("Task", () => openTask(callback.task_id)),
          button("Deliver again", () => attempt(async () => {
            await call("POST", `callbacks/${encodeURIComponent(callback.id)}/redeliver`, {});
            say("Its attempts begin anew.");
          }), { disabled: callback.state === "waiting" }))),
      h("p", { class: "wrap mono" }, callback.target, callback.routed && callback.routed !== callback.target ? ` → ${callback.routed}` : ""),
      callback.state === "captured" && h("p", { class: "quiet small" }, "Kept and not sent: no route leads from this address to a receiver here."),
      axis(callback),
      callback.attempts.filter((one) => one.error || one.response).map((one, number) => h("p", { class: "small wrap" }, `${number + 1}: ${one.error ?? `${one.status} ${one.response}`}`)),
      h("details", {}, h("summary", {}, "Body"), pretty(callback.body)))));
}
