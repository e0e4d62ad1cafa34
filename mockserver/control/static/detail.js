// One call, followed to its task, its picture, its callback's attempts and its money.

import { attempt, call, get } from "./api.js";
import { button, byId, copy, duration, facts, h, pretty, say, stateTag, statusTag, time } from "./dom.js";
import { axis } from "./axis.js";
import { pressed } from "./press.js";
import { endings, picture } from "./task_parts.js";

const SOON = 100;

/** What is shown: a function that reads it, and returns its title and its content. */
let current = null;

const dialog = () => byId("detail");

function draw([title, ...content]) {
  const place = dialog();
  const top = place.open ? place.scrollTop : 0;
  place.replaceChildren(
    h("div", {},
      h("div", { class: "pair" }, h("h2", {}, title), button("Close", () => place.close(), { "aria-label": "Close the detail" })),
      ...content));
  if (!place.open) place.showModal();
  place.scrollTop = top;
}

const open = (read) => attempt(async () => {
  const parts = await read();
  current = read;
  draw(parts);
});

/** Draws the open detail again, since something has changed; not if it was closed, or another one opened, in the meantime. */
export function refreshDetail() {
  if (!dialog().open || !current) return;
  const read = current;
  attempt(async () => {
    const parts = await read();
    const redraw = () => {
      if (!dialog().open || current !== read) return;
      if (pressed()) setTimeout(redraw, SOON);
      else draw(parts);
    };
    redraw();
  });
}

export const openRequest = (id) => open(async () => {
  const request = await get(`requests/${encodeURIComponent(id)}`);
  const parts = request.task_id ? await taskParts(request.task_id) : [];
  return [`${request.method} ${request.path}`,
    h("div", { class: "bar" },
      button("Copy as curl", () => copy(asCurl(request))),
      button("Send again", () => attempt(async () => {
        const sent = await call("POST", `requests/${encodeURIComponent(id)}/resend`, {});
        say(`Sent again: ${sent.status}.`);
      }))),
    facts([
      ["status", h("span", {}, statusTag(request.status), " ", request.error ?? "")], ["time", time(request.time)], ["duration", duration(request.duration)],
      ["provider", request.provider], ["key", request.account], ["cost", request.cost], ["note", request.note], ["request id", h("code", {}, request.id)],
    ]),
    ...parts,
    h("h3", {}, "Request headers"), pretty(request.headers),
    h("h3", {}, `Request body${request.body_size ? ` (${request.body_size} bytes)` : ""}`), pretty(request.body),
    request.pictures?.length ? [h("h3", {}, "Pictures sent"), pretty(request.pictures)] : [],
    h("h3", {}, `Answer${request.response_type ? ` (${request.response_type})` : ""}`), pretty(request.response)];
});

export const openTask = (id) => open(async () => [`Task ${id}`, ...(await taskParts(id))]);

async function taskParts(id) {
  const task = await get(`tasks/${encodeURIComponent(id)}`).catch(() => null);
  if (!task) return [h("p", { class: "quiet" }, `Task ${id} is no longer kept.`)];
  const account = await get(`accounts/${encodeURIComponent(task.account)}?provider=${encodeURIComponent(task.provider)}`).catch(() => null);
  const { callbacks } = await get(`callbacks?task_id=${encodeURIComponent(id)}`);
  return [
    h("div", { class: "sheet" },
      h("div", { class: "pair" }, h("h3", {}, "Task"), stateTag(task.status)),
      facts([
        ["id", h("code", {}, task.id)], ["model", task.model], ["prompt", task.prompt], ["size", `${task.size} → ${task.width}×${task.height}`], ["progress", `${task.progress} %`],
        ["submitted", time(task.created)], ["ends", task.due ? time(task.due) : "never by itself"], ["failure", task.failure ? `${task.failure.code} ${task.failure.detail ?? ""}` : null], ["will fail", task.will_fail],
        ["price", `${task.price} ${task.currency}`], ["held", `${task.held} ${task.currency}`], ["captured", `${task.captured} ${task.currency}`],
        ["account", account ? `balance ${account.balance}, held ${account.held}, captured ${account.captured} ${account.currency}` : null],
      ]),
      endings(task, true),
      task.status === "completed" ? Array.from({ length: task.count }, (_, index) => picture(task, index, 720)) : []),
    ...callbacks.map((callback) => h("div", { class: "sheet" }, h("h3", {}, "Callback"), axis(callback), h("p", { class: "wrap small" }, callback.routed ?? callback.target),
      callback.attempts.map((one, number) => facts([[`attempt ${number + 1}`, h("span", {}, statusTag(one.status), ` ${one.error ?? ""} ${duration(one.duration)}`)], ["answer", one.response]])), pretty(callback.body))),
  ];
}

const quoted = (value) => `'${String(value).replaceAll("'", "'\\''")}'`;

const DROPPED = ["host", "content-length", "accept-encoding", "connection", "user-agent", "accept"];

function asCurl(request) {
  const { path, provider } = request;
  const here = path.startsWith(`/${provider}/`) || !path.startsWith("/") ? path : `/${provider}${path}`; // by its Host, it came without the prefix
  const lines = [`curl -X ${request.method} ${quoted(new URL(here, location.origin).href)}`];
  for (const [name, value] of Object.entries(request.headers)) {
    if (!DROPPED.includes(name.toLowerCase())) lines.push(`-H ${quoted(`${name}: ${name.toLowerCase() === "authorization" ? "Bearer YOUR_KEY" : value}`)}`);
  }
  if (request.body) lines.push(`-d ${quoted(typeof request.body === "string" ? request.body : JSON.stringify(request.body))}`);
  return lines.join(" \\\n  ");
}
