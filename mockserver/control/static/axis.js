// A callback's attempts on a time axis: the documented instants are 0, +1, +3 and +7 s.

import { h } from "./dom.js";

export function axis(callback) {
  const dots = callback.attempts.map((attempt) => ({
    at: attempt.time - callback.created,
    kind: attempt.status >= 200 && attempt.status < 300 ? "good" : "bad",
    label: attempt.status ?? "failed",
    title: attempt.error ?? `answered ${attempt.status}`,
  }));
  if (callback.next_attempt) dots.push({ at: callback.next_attempt - callback.created, kind: "next", label: "due", title: "the next attempt" });
  const longest = Math.max(7, ...dots.map((dot) => dot.at));
  return h("div", { class: "axis", role: "img", "aria-label": dots.map((dot) => `${dot.label} at ${dot.at.toFixed(1)} seconds`).join(", ") || "no attempt" },
    dots.map((dot) => {
      const element = h("span", { class: `dot ${dot.kind}`, title: dot.title }, h("i"), `+${Number(dot.at.toFixed(1))} s · ${dot.label}`);
      element.style.left = `${8 + (84 * dot.at) / longest}%`;
      return element;
    }));
}
