// Builds elements. Text from clients becomes text nodes: nothing here ever parses markup.

/** An element. `props`: attributes, `on…` listeners, `class`; false and null are left out. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false).map(text));
  return element;
}

/** Puts children in place of those that an element has. */
export function put(parent, ...children) {
  parent.replaceChildren(...h("div", {}, ...children).childNodes);
}

const text = (child) => (child instanceof Node ? child : document.createTextNode(String(child)));

export const byId = (id) => document.getElementById(id);

let hiding = 0;

/** Shows one line at the foot of the page for a few seconds. */
export function say(message) {
  const place = byId("message");
  place.textContent = message;
  place.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => (place.hidden = true), 6000);
}

/** The time of day of an instant (Unix seconds). */
export function time(instant) {
  const at = new Date(instant * 1000);
  return h("time", { datetime: at.toISOString(), title: at.toISOString() }, at.toTimeString().slice(0, 8));
}

/** Seconds for reading: 0.4 ms, 12 ms, 1.23 s, 75 s. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 0.9995) return `${(seconds * 1000).toFixed(seconds < 0.00995 ? 1 : 0)} ms`;
  return `${seconds.toFixed(seconds < 9.995 ? 2 : 0)} s`;
}

export function statusTag(status) {
  if (!status) return h("span", { class: "tag" }, "—");
  return h("span", { class: `tag ${status < 300 ? "good" : status < 400 ? "" : status < 500 ? "warn" : "bad"}` }, status);
}

const KINDS = { completed: "good", delivered: "good", failed: "bad", gave_up: "bad", lost: "bad", waiting: "warn", processing: "warn" };

export const stateTag = (state) => h("span", { class: `tag ${KINDS[state] ?? ""}` }, state.replace("_", " "));

/** A value as readable text: indented JSON, or the text that it is. */
export function pretty(value) {
  if (value === null || value === undefined || value === "") return h("p", { class: "quiet" }, "empty");
  return h("pre", { tabindex: 0 }, typeof value === "string" ? value : JSON.stringify(value, null, 2));
}

/** What to show where there is nothing yet: a sentence and a command that changes that. */
export function empty(sentence, command) {
  return h("div", { class: "sheet empty" }, h("p", {}, sentence), command && h("pre", { tabindex: 0 }, command));
}

export function facts(pairs) {
  return h("dl", {}, pairs.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

export function button(label, action, props = {}) {
  return h("button", { type: "button", ...props, onclick: action }, label);
}

/** Copies a text, and says so. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    say("Copied.");
  } catch {
    say(text);
  }
}
