// What the page knows: everything here was read from the control surface.

export const MOST_REQUESTS = 10_000;
export const MOST_CARDS = 200;

export const state = {
  requests: [],
  tasks: [],
  callbacks: [],
  accounts: [],
  faults: [],
  kinds: [],
  advice: [],
  providers: [],
  examples: {},
  clock: null,
  health: null,
  readAt: 0,
};

/** A curl command that works against this server, of a provider or of the first one. */
export function curlExample(provider) {
  return state.examples[provider ?? state.providers[0]] ?? `curl ${location.origin}/`;
}

/** The server's time now (Unix seconds), going on from when it was read. */
export function now() {
  const clock = state.clock;
  return clock ? clock.now + ((performance.now() - state.readAt) / 1000) * (clock.speed ?? 0) : Date.now() / 1000;
}
