// <similarity-chart>: similarity over time, between the lines of floor and ceiling. Without this script a plain curve.

import uPlot from "../vendor/uplot-1.6.32/uPlot.esm.js";
import { axis, colour, follow } from "./chart.js";
import { number } from "./words.js";

const HEIGHT = 240;

class SimilarityChart extends HTMLElement {
  connectedCallback() {
    const found = this.querySelector("script");
    if (!found) return;
    this.chart = JSON.parse(found.textContent);
    this.querySelector("figure").hidden = true;
    this.leave = follow(this, HEIGHT, () => this.draw());
    this.draw();
  }

  disconnectedCallback() {
    this.leave?.();
  }

  draw() {
    const { time, similarity, floor, ceiling } = this.chart;
    const level = (value) => time.map(() => value);
    this.plot?.destroy();
    this.plot = new uPlot(this.options(), [time, similarity, level(ceiling), level(floor)], this);
  }

  options() {
    const plain = axis(this);
    const value = (plot, given) => (given == null ? "–" : number(given, 3));
    const bound = { stroke: colour(this, "--quiet"), dash: [6, 4], width: 1.5, points: { show: false }, value };
    const moment = (plot, given, _, at) => (at == null ? "–" : `${number(given, 2)} · ${this.dataset.frame} ${number(this.chart.frame[at])}`);
    return {
      width: this.clientWidth,
      height: HEIGHT,
      scales: { x: { time: false } },
      axes: [{ ...plain, label: this.dataset.moment, labelSize: 22, size: 32 }, { ...plain, label: this.dataset.similarity, labelSize: 22, size: 56 }],
      series: [
        { label: this.dataset.moment, value: moment },
        { label: this.dataset.similarity, stroke: colour(this, "--link"), width: 1.5, points: { show: false }, value },
        { ...bound, label: this.dataset.ceiling },
        { ...bound, label: this.dataset.floor, dash: [2, 4] },
      ],
      legend: { live: true },
    };
  }
}

customElements.define("similarity-chart", SimilarityChart);
