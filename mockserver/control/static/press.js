// A button that is pressed must still be there when it is released: until then, for a few seconds at most, nothing is drawn.

const LONGEST = 3000;

let until = 0;
addEventListener("pointerdown", () => (until = performance.now() + LONGEST), true);
addEventListener("pointerup", () => (until = 0), true);
addEventListener("pointercancel", () => (until = 0), true);

export const pressed = () => performance.now() < until;
