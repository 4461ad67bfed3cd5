// The colour of a class: the same twelve, in the same order, as the pictures the server draws into (overlay.c).
const COLOURS = ['#3b9eff', '#ff9f1c', '#2ec4a6', '#e5484d', '#b07cff', '#f2c94c',
  '#ff6fb5', '#8ecf3c', '#5be0ff', '#ff7a45', '#9aa7ff', '#c9b18a'];

export const classColour = (id) => COLOURS[((id % COLOURS.length) + COLOURS.length) % COLOURS.length];

// Black or white, whichever reads better on the colour.
export function ink(colour) {
  const n = parseInt(colour.slice(1), 16);
  const luma = 0.299 * (n >> 16) + 0.587 * ((n >> 8) & 255) + 0.114 * (n & 255);
  return luma > 140 ? '#0b0f14' : '#ffffff';
}
