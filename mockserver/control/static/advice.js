// What the client does that would hurt in production, as seen from the server.

import { get } from "./api.js";
import { button, h, put } from "./dom.js";
import { openRequest, openTask } from "./detail.js";
import { state } from "./state.js";

export const count = () => state.advice.length;

export async function load() {
  state.advice = (await get("advice")).advice;
}

export function render(panel) {
  if (!state.advice.length) {
    put(panel, h("div", { class: "sheet empty" }, h("p", {}, "No advice: nothing seen so far would hurt in production."), h("p", { class: "small" }, "Looked at are polling, retries, time-outs, callbacks, unused pictures and ignored parameters.")));
    return;
  }
  const calls = new Map(state.requests.map((request) => [request.id, request]));
  put(panel, ...state.advice.map((item) => article(item, calls)));
}

const SHOWN = 8;

function article(item, calls) {
  return h("article", { class: "sheet advice" },
    h("div", { class: "pair" }, h("h3", {}, item.title), h("span", { class: "tag warn" }, item.rule)),
    h("p", { class: "small quiet wrap" }, [item.provider, item.account, item.times > 1 ? `${item.times} times` : ""].filter(Boolean).join(" · ")),
    h("p", { class: "wrap" }, item.seen),
    h("p", { class: "quiet" }, item.why),
    h("div", { class: "bar small" },
      item.claim && h("span", { class: "quiet" }, "Claim ", h("code", {}, item.claim)),
      buttons(item.requests, (id) => openRequest(id), (id, number) => callLabel(calls.get(id), number)),
      buttons(item.tasks, (id) => openTask(id), (id, number) => (item.tasks.length > 1 ? `Task ${number}` : "Task"))));
}

function buttons(ids, open, label) {
  const shown = ids.slice(0, SHOWN).map((id, index) => button(label(id, index + 1), () => open(id), { title: id }));
  return ids.length > SHOWN ? [...shown, h("span", { class: "quiet" }, `and ${ids.length - SHOWN} more`)] : shown;
}

/** What a call was, if the page still knows it. */
function callLabel(request, number) {
  return request ? `Call ${number}: ${request.method} ${request.status ?? "—"}` : `Call ${number}`;
}
