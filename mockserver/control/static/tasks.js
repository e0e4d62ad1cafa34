// Generations as cards: picture, prompt, size, price, progress; and ending one by hand.

import { list } from "./api.js";
import { empty, h, put, stateTag } from "./dom.js";
import { openTask } from "./detail.js";
import { curlExample, MOST_CARDS, now, state } from "./state.js";
import { endings, picture, running } from "./task_parts.js";

export const count = () => state.tasks.length;

export async function load() {
  state.tasks = await list("tasks", MOST_CARDS);
}

/** Percent, moving on between two readings as the server's clock does. */
export function progress(task) {
  if (!running(task) || !task.due) return task.progress;
  const share = (now() - task.starts) / (task.due - task.starts || 1);
  return Math.max(task.progress, Math.min(99, Math.floor(100 * share)));
}

export function render(panel) {
  if (!state.tasks.length) {
    put(panel, empty("No generation has been accepted yet. Submit one:", curlExample()));
    return;
  }
  put(panel, 
    h("div", { class: "cards" }, state.tasks.map(card)),
    state.tasks.length >= MOST_CARDS && h("p", { class: "quiet" }, `The newest ${MOST_CARDS} are shown; GET /_mock/tasks lists all.`));
}

function card(task) {
  return h("article", { class: "sheet card", "data-task": task.id },
    h("button", { type: "button", class: "picture", onclick: () => openTask(task.id), "aria-label": `Open task ${task.id}` },
      task.status === "completed" ? picture(task, 0, 320) : task.failure?.code ?? (task.will_fail ? `will fail: ${task.will_fail}` : `${task.width}×${task.height}`)),
    h("div", { class: "text" },
      h("div", { class: "pair" }, h("span", { class: "small" }, `${task.provider} · ${task.model}`), stateTag(task.status)),
      h("p", { class: "prompt", title: task.prompt }, task.prompt),
      h("progress", { max: 100, value: progress(task), "aria-label": `Progress of ${task.id}` }),
      h("div", { class: "pair small quiet" }, h("span", {}, task.size), h("span", {}, `${task.price} ${task.currency}${task.failure ? ", released" : ""}`)),
      endings(task)));
}

/** Moves the progress bars; called a few times a second while the panel is shown. */
export function tick(panel) {
  for (const task of state.tasks.filter(running)) {
    const bar = panel.querySelector(`[data-task="${CSS.escape(task.id)}"] progress`);
    if (bar) bar.value = progress(task);
  }
}
