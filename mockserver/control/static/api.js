// Calls the control surface, and follows its events. The page has no other source of data.

import { say } from "./dom.js";

const BASE = new URL(".", location.href);

/** A control call's answer as JSON. Throws an Error with the server's own sentence. */
export async function call(method, path, body) {
  const answer = await fetch(new URL(path, BASE), {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  let data;
  try {
    data = JSON.parse(text);
  } catch {
    throw new Error(`The server answered ${answer.status} and no JSON.`);
  }
  if (!answer.ok) throw new Error(data.error?.message ?? `The server answered ${answer.status}.`);
  return data;
}

export const get = (path) => call("GET", path);

/** Runs an action of the user's; what goes wrong is shown as a message. */
export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    say(error.message);
    return null;
  }
}

/** All records of a list, newest first, up to `most`. */
export async function list(noun, most = 1000, query = "") {
  const found = [];
  let cursor = "";
  do {
    const page = await get(`${noun}?limit=${Math.min(1000, most - found.length)}${query}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    found.push(...page[noun]);
    cursor = page.next ?? "";
  } while (cursor && found.length < most);
  return found;
}

/** Follows the events: `heard(type, data)` for each, `state(name)` for live, connecting, lost. */
export function follow(heard, state) {
  const source = new EventSource(new URL("events", BASE));
  source.onopen = () => state("live");
  source.onerror = () => state(source.readyState === EventSource.CLOSED ? "lost" : "connecting");
  for (const type of ["request", "task", "callback", "changed", "gap"]) {
    source.addEventListener(type, (event) => heard(type, JSON.parse(event.data)));
  }
  addEventListener("pagehide", () => source.close());
}
