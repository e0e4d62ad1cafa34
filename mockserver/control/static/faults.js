// Fault rules: with their counts, and a form made from the server's own description of the kinds.

import { attempt, call, get } from "./api.js";
import { button, empty, h, put, say } from "./dom.js";
import { state } from "./state.js";

export const count = () => state.faults.length;

export async function load() {
  [state.faults, state.kinds] = [(await get("faults")).faults, (await get("fault-kinds")).kinds];
}

let chosen = "status";

export function render(panel) {
  const form = h("form", { class: "sheet bar", onsubmit: add });
  fill(form);
  const rules = state.faults.length
    ? h("div", { class: "sheet scroll" }, h("table", {},
        h("thead", {}, h("tr", {}, ["Fault", "For", "When"].map((name) => h("th", {}, name)), ["Matched", "Fired"].map((name) => h("th", { class: "number" }, name)), h("th", {}, ""))),
        h("tbody", {}, state.faults.map(row))))
    : empty("No fault is in force: every well-formed call succeeds. Add one above, or by a call:", `curl ${location.origin}/_mock/faults -d '{"match": {"provider": "${state.providers[0] ?? "evolink"}"}, "times": 1, "fault": {"type": "status", "status": 503}}'`);
  put(panel, h("h2", {}, "Add a fault"), form, h("h2", {}, "In force"), rules);
}

const named = (pairs) => Object.entries(pairs).filter(([, value]) => value !== null && value !== undefined).map(([name, value]) => `${name} ${value}`).join(", ");

function row(rule) {
  const { type, ...parameters } = rule.fault;
  const when = [rule.skip && `not the first ${rule.skip}`, rule.every > 1 && `every ${rule.every}th`, rule.times && `${rule.times} times`, rule.probability < 1 && `probability ${rule.probability}`].filter(Boolean).join(", ");
  return h("tr", { "data-rule": rule.id },
    h("td", {}, h("strong", {}, type), " ", named(parameters)), h("td", { class: "wrap" }, named(rule.match) || "every call"), h("td", {}, when || "always"),
    h("td", { class: "number" }, rule.matched), h("td", { class: "number" }, rule.fired),
    h("td", {}, button("Remove", () => attempt(() => call("DELETE", `faults/${encodeURIComponent(rule.id)}`)), { "aria-label": `Remove ${rule.id}` })));
}

function field(name, label, schema = {}, prefix) {
  const types = [schema, ...(schema.anyOf ?? [])];
  const number = types.some((one) => one.type === "integer" || one.type === "number");
  return h("label", { title: schema.description }, label, h("input", { name: `${prefix}.${name}`, size: number ? 7 : 14, inputmode: number ? "decimal" : null, "data-number": number, placeholder: schema.default ?? "" }));
}

function fill(form) {
  const kind = state.kinds.find((one) => one.type === chosen) ?? state.kinds[0];
  put(form,
    h("label", {}, "Fault", h("select", { name: "type", onchange: (event) => { chosen = event.target.value; fill(form); form.elements.type.focus(); } }, state.kinds.map((one) => h("option", { value: one.type, selected: one.type === kind?.type }, one.type)))),
    Object.entries(kind?.parameters ?? {}).map(([name, schema]) => field(name, name, schema, "fault")),
    h("label", {}, "Provider", h("select", { name: "match.provider" }, h("option", { value: "" }, "any"), state.providers.map((name) => h("option", { value: name }, name)))),
    ["path", "model", "prompt", "api_key"].map((name) => field(name, name, {}, "match")),
    [["times", "integer"], ["skip", "integer"], ["probability", "number"]].map(([name, type]) => field(name, name, { type }, "when")),
    h("button", { class: "primary" }, "Add"),
    h("p", { class: "quiet small grow" }, kind?.description ?? ""));
}

function add(event) {
  event.preventDefault();
  const rule = { match: {}, fault: { type: event.target.elements.type.value } };
  for (const input of event.target.elements) {
    const [group, name] = input.name.split(".");
    if (!name || input.value === "") continue;
    const value = "number" in input.dataset && input.dataset.number !== undefined ? Number(input.value) : input.value;
    if (group === "when") rule[name] = value;
    else rule[group][name] = value;
  }
  attempt(async () => {
    const added = await call("POST", "faults", rule);
    say(`${added.id} is in force.`);
  });
}
