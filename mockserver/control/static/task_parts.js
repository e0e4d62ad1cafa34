// Parts of a task that both its card and its detail show.

import { attempt, call } from "./api.js";
import { button, h, say } from "./dom.js";

export const running = (task) => task.status === "pending" || task.status === "processing";

/** One of a task's pictures, no wider than it is shown. */
export function picture(task, index, width) {
  return h("img", { src: `pictures/${encodeURIComponent(task.id)}/${index}?width=${width}`, alt: `Picture ${index + 1} of: ${task.prompt}`, loading: "lazy" });
}

/** Buttons that end a task by hand, for one that runs; with a field for a failure's code, if asked for. */
export function endings(task, withCode = false) {
  if (!running(task)) return null;
  const end = (verb, body = {}) => attempt(async () => {
    await call("POST", `tasks/${encodeURIComponent(task.id)}/${verb}`, body);
    say(`${task.id}: ${verb}.`);
  });
  const code = h("input", { size: 12, placeholder: "error code", "aria-label": "Error code of the failure, optional" });
  return h("div", { class: "bar small" },
    button("Complete", () => end("complete")),
    withCode && code,
    button("Fail", () => end("fail", code.value ? { code: code.value } : {}), { class: "danger" }),
    button("Cancel", () => end("cancel"), { class: "danger" }));
}
