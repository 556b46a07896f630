// <training-time>: the form's button says how long the training will take, and a note warns of a long one.

class TrainingTime extends HTMLElement {
  connectedCallback() {
    this.form = this.closest("form");
    this.known = JSON.parse(this.querySelector("script").textContent);
    this.form.addEventListener("input", ({ target }) => {
      const { minutes, iterations } = this.form.elements;
      if (target === minutes) this.chosen = true;
      // Either may be given. The minutes that were only recommended give way.
      if (target === iterations && iterations.value && !this.chosen) minutes.value = "";
      this.tell();
    });
    this.tell();
  }

  /** In seconds: the minutes that are given, or as long as the iterations take; null if that is not known. */
  seconds() {
    const { preset, minutes, iterations } = this.form.elements;
    if (minutes.valueAsNumber > 0) return 60 * minutes.valueAsNumber;
    const chosen = this.known.presets[preset.value];
    return chosen?.rate ? (iterations.valueAsNumber || chosen.iterations) / chosen.rate : null;
  }

  tell() {
    const button = this.querySelector("button");
    const note = this.querySelector(".note");
    const seconds = this.seconds();
    const time = seconds === null ? "" : this.about(seconds);
    button.textContent = (time ? button.dataset.known : button.dataset.unknown).replace("{time}", time);
    note.hidden = seconds !== null && seconds < this.known.long;
    note.textContent = note.hidden ? "" : (time ? note.dataset.long : note.dataset.unknown).replace("{time}", time);
  }

  /** The same as the server says. */
  about(seconds) {
    const [unit, length, digits] = seconds < 90 ? ["seconds", 1, 0] : seconds < 7200 ? ["minutes", 60, 0] : ["hours", 3600, seconds < 36000 ? 1 : 0];
    const amount = (seconds / length).toLocaleString(document.documentElement.lang, { maximumFractionDigits: digits });
    return this.known.words[unit].replace("{n}", amount);
  }
}

customElements.define("training-time", TrainingTime);
