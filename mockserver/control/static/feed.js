// The requests as they come: a window of rows over as many as are kept.

import { list } from "./api.js";
import { button, duration, empty, h, put, statusTag, time } from "./dom.js";
import { curlExample, MOST_REQUESTS, state } from "./state.js";
import { openRequest } from "./detail.js";

const filters = { provider: "", status: "", key: "", text: "" };
let scroller = null;
let space = null;
let shown = [];
let held = false;

export const count = () => state.requests.length;

export async function load() {
  state.requests = await list("requests", MOST_REQUESTS, "&view=summary");
}

/** Puts a request that was just answered at the top. */
export function add(request) {
  state.requests.unshift(request);
  if (state.requests.length > MOST_REQUESTS) state.requests.length = MOST_REQUESTS;
}

export function render(panel) {
  scroller = null;
  if (!state.requests.length) {
    put(panel, empty("No request has come yet. Send one, and it appears here:", curlExample()));
    return;
  }
  const select = (name, label, options) =>
    h("label", {}, label, h("select", { onchange: (event) => apply(name, event.target.value) },
      options.map(([value, text]) => h("option", { value, selected: filters[name] === value }, text))));
  const providers = [["", "all"], ...state.providers.map((name) => [name, name])];
  const keys = [["", "all"], ...[...new Set(state.requests.map((request) => request.account).filter(Boolean))].map((key) => [key, key])];
  scroller = h("div", { class: "feed", tabindex: -1, onscroll: draw, onkeydown: move, "aria-label": "Requests, newest first", role: "group" });
  space = h("div", { class: "space" });
  scroller.append(space);
  put(panel, 
    h("div", { class: "bar" },
      select("provider", "Provider", providers),
      select("key", "Key", keys),
      select("status", "Status", [["", "all"], ["2", "2xx"], ["3", "3xx"], ["4", "4xx"], ["5", "5xx"]]),
      h("input", { type: "search", placeholder: "Path, model, prompt, error, id", "aria-label": "Search", value: filters.text, oninput: (event) => apply("text", event.target.value) }),
      button(held ? "Resume" : "Pause", (event) => { held = !held; event.target.textContent = held ? "Resume" : "Pause"; refresh(); })),
    scroller);
  refresh(true);
}

function apply(name, value) {
  filters[name] = value;
  refresh(true);
}

/** Whether the rows have their place already, which they have not on an empty panel. */
export const drawn = () => Boolean(scroller?.isConnected);

/** Draws again after the requests or the filters have changed. */
export function refresh(forced = false) {
  if (!scroller?.isConnected || (held && !forced)) return;
  const text = filters.text.toLowerCase();
  shown = state.requests.filter((request) =>
    (!filters.provider || request.provider === filters.provider) &&
    (!filters.key || request.account === filters.key) &&
    (!filters.status || String(request.status ?? "")[0] === filters.status) &&
    (!text || [request.path, request.model, request.prompt, request.error, request.id, request.task_id, request.method].some((part) => part?.toLowerCase().includes(text))));
  const height = rowHeight();
  space.style.height = `${shown.length * height}px`;
  draw();
}

const rowHeight = () => parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row"));

function draw() {
  const height = rowHeight();
  const first = Math.max(0, Math.floor(scroller.scrollTop / height) - 6);
  const last = Math.min(shown.length, Math.ceil((scroller.scrollTop + scroller.clientHeight) / height) + 6);
  const focused = document.activeElement?.dataset?.id;
  space.replaceChildren(...shown.slice(first, last).map((request, index) => row(request, (first + index) * height)));
  if (!shown.length) space.replaceChildren(h("p", { class: "empty" }, "No request matches these filters."));
  if (focused) space.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

/** The path as the service documents it: without the provider's prefix. */
const documented = ({ provider, path }) => (path.startsWith(`/${provider}/`) ? path.slice(provider.length + 1) : path);

function row(request, top) {
  const what = [request.model, request.prompt].filter(Boolean).join(" · ");
  const element = h("button", { type: "button", class: "row", "data-id": request.id, onclick: () => openRequest(request.id) },
    time(request.time), h("span", { class: "name" }, request.provider), h("span", { class: "status" }, statusTag(request.status)),
    h("span", { class: "path mono", title: `${request.method} ${request.path}` }, `${request.method} ${documented(request)}`),
    h("span", { class: "what quiet", title: what }, request.error ?? "", request.error && what ? " · " : "", what),
    h("span", { class: "duration number" }, duration(request.duration)),
    h("span", { class: "cost number" }, request.cost ? `${request.cost} ${request.currency ?? ""}` : ""));
  element.style.top = `${top}px`;
  return element;
}

function move(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const id = document.activeElement?.dataset?.id;
  if (!step || !id) return;
  event.preventDefault();
  const index = shown.findIndex((request) => request.id === id) + step;
  if (index < 0 || index >= shown.length) return;
  const height = rowHeight();
  if (index * height < scroller.scrollTop) scroller.scrollTop = index * height;
  if ((index + 1) * height > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = (index + 1) * height - scroller.clientHeight;
  draw();
  space.querySelector(`[data-id="${CSS.escape(shown[index].id)}"]`)?.focus({ preventScroll: true });
}
