// Accounts: what each key has at each provider, and what this session would have cost.

import { attempt, call, list } from "./api.js";
import { button, empty, h, put, say } from "./dom.js";
import { curlExample, state } from "./state.js";

export const count = () => state.accounts.length;

export async function load() {
  state.accounts = await list("accounts");
}

export function render(panel) {
  if (!state.accounts.length) {
    put(panel, empty("No key has been used yet. An account opens at a key's first call:", curlExample()));
    return;
  }
  const totals = new Map();
  for (const account of state.accounts) {
    const name = `${account.currency} at ${account.provider}`;
    totals.set(name, sum(totals.get(name) ?? "0", account.captured));
  }
  put(panel, 
    h("p", { class: "sheet" }, "This session would have cost ", [...totals].map(([name, amount], index) => [index ? ", " : "", h("strong", {}, amount), ` ${name}`]), "."),
    h("div", { class: "sheet scroll" }, h("table", {},
      h("thead", {}, h("tr", {}, ["Provider", "Key"].map((name) => h("th", {}, name)), ["Opening", "Balance", "Held", "Captured", "Quota", "Generations"].map((name) => h("th", { class: "number" }, name)), h("th", {}, "Set balance"))),
      h("tbody", {}, state.accounts.map(row)))));
}

/** The exact sum of two decimal texts. */
function sum(left, right) {
  const places = Math.max(...[left, right].map((text) => (text.split(".")[1] ?? "").length));
  const minor = (text) => BigInt(text.split(".")[0] + (text.split(".")[1] ?? "").padEnd(places, "0"));
  const digits = (minor(left) + minor(right)).toString().padStart(places + 1, "0");
  return places ? `${digits.slice(0, -places)}.${digits.slice(-places)}`.replace(/\.?0+$/, "") : digits;
}

function row(account) {
  const amount = h("input", { size: 8, inputmode: "decimal", "aria-label": `New balance of ${account.account} at ${account.provider}` });
  const set = (event) => {
    event.preventDefault();
    attempt(async () => {
      await call("PUT", `accounts/${encodeURIComponent(account.account)}?provider=${encodeURIComponent(account.provider)}`, { balance: amount.value });
      say("The balance is set.");
    });
  };
  return h("tr", {}, h("td", {}, account.provider), h("td", { class: "mono" }, account.account),
    ["opening", "balance", "held", "captured", "quota", "generations"].map((name) => h("td", { class: "number" }, account[name] ?? "—")),
    h("td", {}, h("form", { class: "bar", onsubmit: set }, amount, h("button", {}, `Set ${account.currency}`))));
}
