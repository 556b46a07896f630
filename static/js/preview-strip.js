// <preview-strip>: the newest preview, and a slider through all that were kept.

class PreviewStrip extends HTMLElement {
  connectedCallback() {
    this.previews = new Map();
    this.slider = this.querySelector("input");
    this.slider.oninput = () => this.draw();
  }

  take(events) {
    const atEnd = this.slider.value === this.slider.max;
    const fresh = events.filter((event) => event.kind === "preview");
    if (!fresh.length) return;
    this.closest(".unborn")?.classList.remove("unborn");
    for (const { data } of fresh) this.previews.set(data.iteration, data);
    this.kept = [...this.previews.values()].sort((one, other) => one.iteration - other.iteration);
    this.slider.max = this.kept.length - 1;
    // Who looks at an old one keeps looking at it.
    if (atEnd) this.slider.value = this.slider.max;
    this.draw();
  }

  draw() {
    const { iteration, url } = this.kept[this.slider.value];
    const picture = this.querySelector("img");
    if (picture.getAttribute("src") !== url) picture.src = url;
    picture.alt = this.dataset.alt.replace("{iteration}", iteration);
    this.querySelector("a").href = url;
    const at = this.dataset.at.replace("{iteration}", iteration);
    this.querySelector("figcaption").textContent = at;
    this.slider.ariaValueText = at;
    this.querySelector("figure").hidden = false;
    this.querySelector("label").hidden = this.kept.length < 2;
    this.querySelector("[data-none]").hidden = true;
  }
}

customElements.define("preview-strip", PreviewStrip);
