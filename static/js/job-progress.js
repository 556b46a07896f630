// <job-progress>: bar and figures of the newest `progress` event.

import { left, number, words } from "./words.js";

class JobProgress extends HTMLElement {
  take(events) {
    const state = events.findLast((event) => event.kind === "state");
    if (state) this.dataset.running = state.data.state === "running";
    const progress = events.findLast((event) => event.kind === "progress")?.data;
    if (progress) this.progress = progress;
    if (this.progress) this.draw(this.progress);
  }

  draw({ stage, done, total, unit, rate }) {
    this.classList.remove("unborn");
    const running = this.dataset.running === "true";
    const bar = document.createElement("progress");
    bar.ariaLabel = words("stage", stage);
    if (total) Object.assign(bar, { max: total, value: done });
    const figures = [
      words("stage", stage),
      `${number(done)}${total ? ` / ${number(total)}` : ""} ${words("unit", unit)}`,
      running && rate ? `${number(rate, 1)} /s` : "",
      running && rate && total ? this.dataset.left.replace("{time}", left((total - done) / rate)) : "",
    ];
    const row = document.createElement("span");
    row.className = "figures";
    for (const text of figures.filter(Boolean)) {
      row.append(Object.assign(document.createElement("span"), { textContent: text, className: "number" }));
    }
    const box = document.createElement("div");
    box.className = "progress";
    if (total || running) box.append(bar);
    box.append(row);
    this.replaceChildren(box);
  }
}

customElements.define("job-progress", JobProgress);
