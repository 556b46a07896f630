// The loupe: one crop large, the frame that it is from with the box, its measures, and who said what.

import { number, words } from "../words.js";
import { address, get } from "./api.js";
import { text } from "./say.js";

export class Loupe {
  /** `step(by)` goes on to another crop, `closed()` back to the grid. */
  constructor(dialog, step, closed) {
    this.dialog = dialog;
    this.drawing = dialog.querySelector("svg");
    this.frame = dialog.querySelector("image");
    this.large = dialog.querySelector("img");
    for (const button of dialog.querySelectorAll("[data-step]")) button.onclick = () => step(Number(button.dataset.step));
    dialog.onkeydown = (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (by) step(by);
    };
    dialog.onclose = closed;
    this.frame.onerror = () => this.without();
  }

  get open() {
    return this.dialog.open;
  }

  async show(tile) {
    this.number = tile.number;
    const before = this.open;
    const crop = await get(`crops/${tile.number}`);
    // Somebody went on, or closed it, while it was on its way.
    if (crop.number !== this.number || (before && !this.open)) return;
    this.dialog.querySelector("h2").textContent = `${text("tile", { number: crop.number, state: text(crop.state) })} · ${text("frame", { input: crop.input.split("/").at(-1), frame: crop.frame })}`;
    this.draw(crop);
    this.dialog.querySelector("dl").replaceChildren(...Object.entries(crop.measures).flatMap(measured));
    const said = crop.verdicts.map(({ by, value }) => text("verdict.by", { person: by, verdict: text(value) }));
    this.dialog.querySelector("#verdicts").replaceChildren(...said.map((line) => made("li", line)));
    if (!this.open) this.dialog.showModal();
  }

  /** Show again what may have changed. */
  refresh() {
    if (this.open) this.show({ number: this.number }).catch(() => {});
  }

  draw({ number: crop, box, width, height }) {
    const [x, y, right, bottom] = box;
    this.drawing.removeAttribute("hidden");
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    set(this.frame, { width, height, href: address(`crops/${crop}/frame`) });
    set(this.drawing.querySelector("rect"), { x, y, width: right - x, height: bottom - y, "stroke-width": width / 250 });
    this.large.src = address(`crops/${crop}/large`);
  }

  without() {
    this.drawing.setAttribute("hidden", "");
    this.dialog.querySelector("#verdicts").prepend(made("li", text("frame.none")));
  }
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

function measured([name, value]) {
  return [made("dt", words("measure", name)), made("dd", number(value, Math.abs(value) < 10 ? 2 : 0))];
}

function made(tag, content) {
  const element = document.createElement(tag);
  element.textContent = content;
  return element;
}
