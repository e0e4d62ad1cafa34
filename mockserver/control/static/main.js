// The page: a tab for each panel, one stream of events, and what is read again when something has changed.

import { attempt, follow, get } from "./api.js";
import * as advice from "./advice.js";
import * as callbacks from "./callbacks.js";
import * as clock from "./clock.js";
import { refreshDetail } from "./detail.js";
import { byId, h, say } from "./dom.js";
import * as faults from "./faults.js";
import * as feed from "./feed.js";
import * as money from "./money.js";
import { state } from "./state.js";
import * as tasks from "./tasks.js";

const PANELS = { requests: ["Requests", feed], tasks: ["Tasks", tasks], callbacks: ["Callbacks", callbacks], money: ["Money", money], faults: ["Faults", faults], clock: ["Clock", clock], advice: ["Advice", advice] };
const READ_AGAIN = { request: ["tasks", "money", "faults", "advice", "clock"], task: ["tasks", "callbacks", "money", "clock", "advice"], callback: ["callbacks", "clock", "advice"], changed: Object.keys(PANELS).filter((name) => name !== "requests") };

let current = location.hash.slice(1) in PANELS ? location.hash.slice(1) : "requests";
const stale = new Set();
let reading = false;

function tabs() {
  const names = Object.keys(PANELS);
  byId("tabs").replaceChildren(...names.map((name) => {
    const [label, panel] = PANELS[name];
    const count = panel.count();
    return h("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-selected": String(name === current), "aria-controls": "panel", tabindex: name === current ? 0 : -1, onclick: () => choose(name) }, label, count ? h("span", { class: "count" }, count) : "");
  }));
}

byId("tabs").addEventListener("keydown", (event) => {
  const names = Object.keys(PANELS);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  choose(names[(names.indexOf(current) + step + names.length) % names.length]);
  byId(`tab-${current}`).focus();
});

function choose(name) {
  current = name;
  history.replaceState(null, "", `#${name}`);
  byId("panel").setAttribute("aria-labelledby", `tab-${name}`);
  draw();
  stale.add(name);
  readAgain();
}

function draw() {
  const focused = byId("tabs").contains(document.activeElement);
  tabs();
  if (focused) byId(`tab-${current}`).focus();
  clock.summary();
  PANELS[current][1].render(byId("panel"));
}

/** Whether drawing again would take a field away from somebody who is filling it in. */
const typing = () => byId("panel").contains(document.activeElement) && document.activeElement.closest("form, input, select, textarea") !== null;

byId("panel").addEventListener("submit", () => document.activeElement.blur());

/** Reads what has changed, one round at a time; what changes meanwhile is read in the next one. */
async function readAgain() {
  if (reading) return;
  reading = true;
  try {
    while (stale.size) {
      const names = [...stale];
      stale.clear();
      const results = await Promise.allSettled(names.map((name) => PANELS[name][1].load()));
      results.filter((result) => result.status === "rejected").forEach((result) => say(result.reason.message));
      tabs();
      clock.summary();
      if (names.includes(current) && current !== "requests" && !typing()) PANELS[current][1].render(byId("panel"));
      if (current === "requests" && names.includes("requests")) draw();
      refreshDetail();
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  } catch (error) {
    say(error.message);
  } finally {
    reading = false;
  }
}

let drawing = 0;

function heard(type, data) {
  if (type === "request") {
    const first = !state.requests.length;
    feed.add(data);
    if (current === "requests" && !drawing) {
      drawing = requestAnimationFrame(() => {
        drawing = 0;
        first ? draw() : feed.refresh();
        tabs();
      });
    }
  }
  const names = type === "gap" || (type === "changed" && data.reset) ? Object.keys(PANELS) : READ_AGAIN[type];
  names.forEach((name) => stale.add(name));
  readAgain();
}

async function begin() {
  const { providers } = await get("providers");
  state.providers = providers.map((provider) => provider.name);
  state.examples = Object.fromEntries(providers.map((provider) => [provider.name, provider.curl]));
  follow(heard, (name) => {
    byId("connection").dataset.state = name;
    byId("connection").textContent = { live: "live", connecting: "connecting", lost: "not connected" }[name];
  });
  Object.keys(PANELS).forEach((name) => stale.add(name));
  draw();
  await readAgain();
  if (!typing()) draw();
  setInterval(() => {
    clock.tick();
    if (current === "tasks") tasks.tick(byId("panel"));
  }, 250);
}

byId("detail").addEventListener("click", (event) => event.target === byId("detail") && byId("detail").close());
attempt(begin);
