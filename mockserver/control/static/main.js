// The page: a tab for each panel, one stream of events, and what is read again when something has changed.

import { attempt, follow, get } from "./api.js";
import * as advice from "./advice.js";
import * as callbacks from "./callbacks.js";
import * as clock from "./clock.js";
import { refreshDetail } from "./detail.js";
import { pressed } from "./press.js";
import { byId, h, say } from "./dom.js";
import * as faults from "./faults.js";
import * as feed from "./feed.js";
import * as money from "./money.js";
import { state } from "./state.js";
import * as tasks from "./tasks.js";

const PANELS = { requests: ["Requests", feed], tasks: ["Tasks", tasks], callbacks: ["Callbacks", callbacks], money: ["Money", money], faults: ["Faults", faults], clock: ["Clock", clock], advice: ["Advice", advice] };
const READ_AGAIN = { request: ["tasks", "money", "faults", "advice", "clock"], task: ["tasks", "callbacks", "money", "clock", "advice"], callback: ["callbacks", "clock", "advice"], changed: Object.keys(PANELS).filter((name) => name !== "requests") };

let current = location.hash.slice(1) in PANELS ? location.hash.slice(1) : "requests";
/** Milliseconds: between two drawings of the feed, and between two readings of the panel that is shown, and of another. */
const DRAW = 100, SHOWN = 300, HIDDEN = 3000;
/** A panel is read again no sooner than after so many times what its last reading took. */
const REST = 5;

const stale = new Set();
const readUntil = new Map();
let reading = false;
/** Whether the panel that is shown has been read and not drawn since. */
let undrawn = false;

/** The tabs: made once and changed in place, so that a click is never on one that has just been replaced. */
function tabs() {
  const names = Object.keys(PANELS);
  if (!byId("tabs").children.length) {
    byId("tabs").append(...names.map((name) =>
      h("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "panel", onclick: () => choose(name) }, PANELS[name][0], h("span", { class: "count" }))));
  }
  for (const name of names) {
    const tab = byId(`tab-${name}`);
    tab.setAttribute("aria-selected", String(name === current));
    tab.tabIndex = name === current ? 0 : -1;
    tab.lastChild.textContent = PANELS[name][1].count() || "";
  }
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
  showTab();
  stale.add(name);
  readUntil.delete(name);
  readAgain();
}

const showTab = () => byId(`tab-${current}`).scrollIntoView({ block: "nearest", inline: "nearest" });

function draw() {
  tabs();
  clock.summary();
  undrawn = false;
  PANELS[current][1].render(byId("panel"));
}

/** Whether drawing again would take a field away from somebody who is filling it in. */
const typing = () => byId("panel").contains(document.activeElement) && document.activeElement.closest("form, input, select, textarea") !== null;

byId("panel").addEventListener("submit", () => document.activeElement.blur());

/** Whether a panel may be read by now: one that is hidden, or costs the server much, is read less often. */
const rested = (name) => performance.now() >= (readUntil.get(name) ?? 0);

async function load(name) {
  const begun = performance.now();
  stale.delete(name);
  await PANELS[name][1].load().finally(() => {
    const ended = performance.now();
    readUntil.set(name, ended + Math.max(name === current || name === "clock" ? SHOWN : HIDDEN, REST * (ended - begun)));
  });
}

/** Reads what has changed, one round at a time; what changes meanwhile is read in a later one, and nothing while nobody looks. */
async function readAgain() {
  if (reading) return;
  reading = true;
  try {
    while ((stale.size || undrawn) && !document.hidden) {
      const names = [...stale].filter(rested);
      const results = await Promise.allSettled(names.map(load));
      results.filter((result) => result.status === "rejected").forEach((result) => say(result.reason.message));
      if (names.length) {
        tabs();
        clock.summary();
        undrawn ||= names.includes(current) && (current === "requests" || !typing());
        refreshDetail();
      }
      if (undrawn && !pressed()) draw();
      await new Promise((resolve) => setTimeout(resolve, SHOWN));
    }
  } catch (error) {
    say(error.message);
  } finally {
    reading = false;
  }
}

let drawing = 0;

function drawFeed() {
  drawing = pressed() ? setTimeout(drawFeed, DRAW) : 0;
  if (drawing || current !== "requests") return;
  feed.drawn() ? feed.refresh() : draw();
  tabs();
}

function heard(type, data) {
  if (type === "request") {
    feed.add(data);
    if (current === "requests" && !drawing) drawing = setTimeout(drawFeed, DRAW);
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
  showTab();
  readAgain();
  setInterval(() => {
    clock.tick();
    if (current === "tasks") tasks.tick(byId("panel"));
  }, 250);
}

document.addEventListener("visibilitychange", readAgain);
byId("detail").addEventListener("click", (event) => event.target === byId("detail") && byId("detail").close());
attempt(begin);
