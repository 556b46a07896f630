// Keys are declared on the buttons that they press, so that a button and its key can't do different things.

export function listenForKeys(room, grid) {
  const buttons = new Map();
  const list = room.querySelector("#help dl");
  for (const button of room.querySelectorAll("[aria-keyshortcuts]")) {
    buttons.set(button.getAttribute("aria-keyshortcuts"), button);
    list.append(explained(button));
  }
  document.addEventListener("keydown", (event) => {
    const loupe = event.target.closest("#loupe");
    // Letters are keys only where no text, list or slider has the focus.
    if (event.defaultPrevented || !(loupe || grid.contains(event.target) || event.target === document.body)) return;
    // Right after loading nothing has the focus; the arrows move the mark all the same.
    if (event.target === document.body) grid.pressed(event);
    if (event.defaultPrevented) return;
    const button = buttons.get(named(event));
    if (!button || (loupe && ["Escape", "Enter"].includes(event.key))) return;
    event.preventDefault();
    button.click();
  });
}

function named({ key, ctrlKey, metaKey, altKey }) {
  if (altKey) return "";
  return (ctrlKey || metaKey ? "Control+" : "") + (key.length === 1 ? key.toUpperCase() : key);
}

function explained(button) {
  const row = document.createDocumentFragment();
  const key = document.createElement("kbd");
  key.textContent = button.getAttribute("aria-keyshortcuts").replace("Control+", "Ctrl + ");
  row.appendChild(document.createElement("dt")).append(key);
  row.appendChild(document.createElement("dd")).textContent = button.textContent;
  return row;
}
