// The room's sentences.

import { number, words } from "../words.js";

/** The text `name` with numbers and names filled in. */
export function text(name, values = {}) {
  return words("curation", name).replace(/\{(\w+)\}/g, (whole, key) => {
    const value = values[key] ?? whole;
    return typeof value === "number" ? number(value) : value;
  });
}

export function say(name, values) {
  const note = document.getElementById("said");
  if (note) note.textContent = name ? text(name, values) : "";
}

export function warn(name, values) {
  const note = document.getElementById("trouble");
  if (!note) return;
  note.hidden = !name;
  note.textContent = name ? text(name, values) : "";
}
