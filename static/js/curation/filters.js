// What is shown and in which order: the controls above the grid, and a histogram with two sliders for each measure.

import { number, words } from "../words.js";
import { get } from "./api.js";
import { text } from "./say.js";

const SVG = "http://www.w3.org/2000/svg";
const PAUSE = 200;

export class Filters {
  /** `changed(view)` is called with the new view whenever somebody has chosen another one. */
  constructor(room, view, changed) {
    Object.assign(this, { room, view, changed });
    this.states = [...room.querySelectorAll("button[data-state]")];
    this.find = (id) => room.querySelector(`#${id}`);
    for (const button of this.states) button.onclick = () => this.toggle(button.dataset.state);
    this.find("sort").onchange = ({ target }) => this.set({ sort: target.value, descending: target.value === "suspicion" });
    this.find("descending").onclick = () => this.set({ descending: !this.view.descending });
    this.find("undecided").onchange = ({ target }) => this.set({ undecided: target.checked });
    this.find("input").onchange = ({ target }) => this.set({ input: target.value });
    this.find("everything").onclick = () => this.set(null);
    this.find("filters").ontoggle = ({ target }) => target.open && this.open();
    this.draw();
  }

  set(changes) {
    // Crops that were shown one by one are left when something is chosen.
    const { numbers, ...kept } = this.view;
    const view = changes === null ? {} : { ...kept, ...changes };
    for (const [name, value] of Object.entries(view)) if (!value || value.length === 0) delete view[name];
    if (view.ranges && !Object.keys(view.ranges).length) delete view.ranges;
    this.view = view;
    this.draw();
    this.changed(view);
  }

  toggle(state) {
    const now = this.view.states ?? [];
    this.set({ states: now.includes(state) ? now.filter((other) => other !== state) : [...now, state] });
  }

  draw() {
    const { view } = this;
    for (const button of this.states) button.ariaPressed = String((view.states ?? []).includes(button.dataset.state));
    this.find("sort").value = view.sort ?? "number";
    this.find("descending").ariaPressed = String(Boolean(view.descending));
    this.find("undecided").checked = Boolean(view.undecided);
    this.find("input").value = view.input ?? "";
    this.find("everything").hidden = !Object.keys(view).some((name) => name !== "sort" && name !== "descending");
    for (const measure of this.measures ?? []) measure.draw(view.ranges?.[measure.name]);
  }

  async open() {
    if (this.measures) return;
    const { histograms, inputs } = await get("measures");
    this.find("input").append(
      new Option(text("all.inputs"), ""),
      ...inputs.map((name) => new Option(name.split("/").at(-1), name)),
    );
    const place = this.room.querySelector(".histograms");
    this.measures = Object.entries(histograms).map(([name, histogram]) => new Measure(name, histogram, this));
    place.append(...this.measures.map(({ element }) => element));
    this.draw();
  }

  limit(name, limits) {
    const ranges = { ...this.view.ranges, [name]: limits };
    if (limits.every((limit) => limit === null)) delete ranges[name];
    this.set({ ranges });
  }
}

class Measure {
  constructor(name, { low, high, counts }, filters) {
    Object.assign(this, { name, low, high });
    const word = words("measure", name);
    this.element = filters.find("histogram").content.firstElementChild.cloneNode(true);
    this.element.querySelector("legend").textContent = word;
    this.sliders = [...this.element.querySelectorAll("input")];
    for (const [place, slider] of this.sliders.entries()) {
      slider.previousElementSibling.textContent = text(place ? "highest" : "lowest", { measure: word });
      slider.min = low;
      slider.max = high;
      slider.oninput = () => this.slid(filters);
    }
    const most = Math.max(...counts);
    this.bars = counts.map((count, place) => bar(place, (10 * count) / most));
    this.element.querySelector("svg").append(...this.bars);
    this.draw();
  }

  draw(limits = [null, null]) {
    const [low, high] = this.sliders;
    low.value = limits[0] ?? this.low;
    high.value = limits[1] ?? this.high;
    this.shade();
  }

  slid(filters) {
    this.shade();
    clearTimeout(this.due);
    this.due = setTimeout(() => filters.limit(this.name, this.limits()), PAUSE);
  }

  /** Where a slider stands at its end there is no limit. */
  limits() {
    const [low, high] = this.sliders.map((slider) => slider.valueAsNumber);
    return [low > this.low ? low : null, high < this.high ? high : null];
  }

  shade() {
    const [low, high] = this.sliders.map((slider) => slider.valueAsNumber);
    const width = (this.high - this.low) / this.bars.length || 1;
    for (const [place, one] of this.bars.entries()) {
      const from = this.low + place * width;
      one.classList.toggle("out", from + width <= low || from > high);
    }
    const digits = this.high - this.low < 10 ? 2 : 0;
    this.element.querySelector("output").textContent = `${number(low, digits)} – ${number(high, digits)}`;
  }
}

function bar(place, height) {
  const rectangle = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ x: place, y: 10 - height, width: 0.9, height })) rectangle.setAttribute(name, value);
  return rectangle;
}
