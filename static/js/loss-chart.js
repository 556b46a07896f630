// <loss-chart>: every loss over the iterations, on a logarithmic scale. Person A's are blue and person B's orange.

import uPlot from "../vendor/uplot-1.6.32/uPlot.esm.js";
import { axis, colour, follow } from "./chart.js";
import { number } from "./words.js";

const HEIGHT = 300;
const DASHES = [[], [6, 4], [2, 3], [10, 4, 2, 4], [1, 5], [14, 5]];

class LossChart extends HTMLElement {
  connectedCallback() {
    this.points = new Map();
    this.leave = follow(this, HEIGHT, () => this.draw(true));
  }

  disconnectedCallback() {
    this.leave();
  }

  take(events) {
    const fresh = events.filter((event) => event.kind === "losses");
    // An iteration that was drawn twice, before and after a kill, counts as it was the second time.
    for (const { data } of fresh) this.points.set(data.iteration, data.values);
    if (fresh.length) this.draw();
  }

  draw(anew = false) {
    if (!this.points.size) return;
    this.closest(".unborn")?.classList.remove("unborn");
    const iterations = [...this.points.keys()].sort((one, other) => one - other);
    const names = [...new Set([...this.points.values()].flatMap(Object.keys))].sort();
    // A logarithm has no place for zero.
    const lines = names.map((name) => iterations.map((at) => this.points.get(at)[name] || null));
    const data = [iterations, ...lines];
    if (this.plot && !anew && String(this.names) === String(names)) return this.plot.setData(data);
    this.names = names;
    this.plot?.destroy();
    this.querySelector("[data-none]").hidden = true;
    this.plot = new uPlot(this.options(names), data, this);
  }

  options(names) {
    const plain = axis(this);
    const kinds = [...new Set(names.map((name) => name.replace(/^[ab]\./, "")))];
    const stroke = (name) => colour(this, name.startsWith("a.") ? "--person-a" : name.startsWith("b.") ? "--person-b" : "--text");
    const series = names.map((name) => ({
      label: name,
      stroke: stroke(name),
      dash: DASHES[kinds.indexOf(name.replace(/^[ab]\./, "")) % DASHES.length],
      width: 1.5,
      points: { show: false },
      spanGaps: true,
      value: (plot, value, line, at) => loss(at == null ? plot.data[line].at(-1) : value),
    }));
    return {
      width: this.clientWidth,
      height: HEIGHT,
      scales: { x: { time: false }, y: { distr: 3 } },
      axes: [plain, { ...plain, size: 64 }],
      series: [{ label: this.dataset.iteration, value: (plot, value, _, at) => number(at == null ? plot.data[0].at(-1) : value) }, ...series],
      legend: { live: true },
    };
  }
}

// Without a pointer on the chart, the legend shows the newest.
const loss = (value) => (value == null ? "–" : number(value, 4));

customElements.define("loss-chart", LossChart);
