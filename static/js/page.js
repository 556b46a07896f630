// What every page has: forms that are sent with the newest token, and menus that close.

import { csrfToken } from "./csrf.js";

document.addEventListener(
  "submit",
  ({ target }) => {
    const field = target.querySelector("[name=csrfmiddlewaretoken]");
    if (field) field.value = csrfToken();
  },
  true,
);

const openMenus = () => document.querySelectorAll("details.menu[open]");

document.addEventListener("pointerdown", ({ target }) => {
  for (const menu of openMenus()) if (!menu.contains(target)) menu.open = false;
});
document.addEventListener("focusin", ({ target }) => {
  for (const menu of openMenus()) if (!menu.contains(target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    const inside = menu.contains(document.activeElement);
    menu.open = false;
    if (inside) menu.querySelector("summary").focus();
    event.preventDefault();
  }
});
