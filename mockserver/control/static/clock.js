// The clock: its mode and speed, what is due next, and moving it.

import { attempt, call, get } from "./api.js";
import { button, byId, duration, facts, h, pretty, put as show, say, time } from "./dom.js";
import { now, state } from "./state.js";

export const count = () => null;

export async function load() {
  put(await get("clock"));
}

function put(clock) {
  state.clock = clock;
  state.readAt = performance.now();
}

let last = null;

const advance = (body) => attempt(async () => {
  last = await call("POST", "clock/advance", body);
  put(last);
  say(`The clock is moved; ${last.ran_total ?? last.ran.length} events ran.`);
});

const STEPS = [["+1 s", { seconds: 1 }], ["+7 s", { seconds: 7 }], ["+1 min", { seconds: 60 }], ["until idle", { until: "idle" }]];

/** The time and the buttons in the page's head, made once. */
export function summary() {
  if (!state.clock) return;
  if (!byId("now")) {
    byId("clock-summary").replaceChildren(h("span", { class: "mono", id: "now" }), h("span", { class: "tag", id: "mode" }),
      ...STEPS.map(([label, body]) => button(label, () => advance(body), { title: `Advance the clock ${label}` })));
  }
  byId("mode").textContent = state.clock.mode === "virtual" ? "virtual" : `× ${state.clock.speed}`;
  tick();
}

export function tick() {
  const place = byId("now");
  if (place) place.replaceChildren(time(now()));
}

export function render(panel) {
  const clock = state.clock;
  if (!clock) return;
  const speed = h("input", { size: 7, inputmode: "decimal", value: clock.mode === "real" ? clock.speed : 1, "aria-label": "Speed" });
  const set = (body) => attempt(async () => put(await call("PUT", "clock", body)));
  show(panel, 
    h("div", { class: "sheet" }, facts([
      ["now", new Date(now() * 1000).toISOString()], ["mode", clock.mode], ["speed", clock.mode === "real" ? `${clock.speed} seconds in a real one` : "stands still until it is advanced"],
      ["autojump", clock.autojump ? "on: a call that waits moves the clock" : "off"], ["next due", clock.next_due ? `${new Date(clock.next_due * 1000).toISOString()}, in ${duration(Math.max(0, clock.next_due - now()))}` : "nothing is planned"],
    ])),
    h("div", { class: "sheet bar" }, STEPS.map(([label, body]) => button(label, () => advance(body), { class: "primary" }))),
    h("div", { class: "sheet bar" },
      button("Virtual", () => set({ mode: "virtual" }), { disabled: clock.mode === "virtual" }),
      h("label", {}, "Speed", speed), button("Real, at this speed", () => set({ mode: "real", speed: Number(speed.value) })),
      button(clock.autojump ? "Autojump off" : "Autojump on", () => set({ autojump: !clock.autojump }))),
    last ? h("div", { class: "sheet" }, h("h3", {}, "What the last advance ran"), pretty(last.ran)) : "");
}
