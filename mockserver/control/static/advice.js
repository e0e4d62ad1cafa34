// What the client does that would hurt in production, as seen from the server.

import { get } from "./api.js";
import { button, h, put } from "./dom.js";
import { openRequest } from "./detail.js";
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
  put(panel, ...state.advice.map((item) =>
    h("article", { class: "sheet" },
      h("div", { class: "pair" }, h("h3", {}, item.title), h("span", { class: "tag warn" }, item.rule)),
      h("p", {}, item.seen),
      h("p", { class: "quiet" }, item.why),
      h("div", { class: "bar small" }, item.claim && h("code", {}, item.claim), item.requests.slice(0, 10).map((id, index) => button(`call ${index + 1}`, () => openRequest(id)))))));
}
