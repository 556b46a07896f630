// <moment-chooser>: the video that the form has chosen, to find the moment of a preview in. Without this script the
// moment is typed.

class MomentChooser extends HTMLElement {
  connectedCallback() {
    this.form = this.closest("form");
    this.videos = JSON.parse(this.querySelector("script").textContent);
    this.video = this.querySelector("video");
    this.slider = this.querySelector("input");
    this.moment = this.form.elements.at;
    this.chosen = this.form.elements.asset;
    this.chosen.addEventListener("change", () => this.open());
    this.moment.addEventListener("input", () => this.go(Number(this.moment.value)));
    this.slider.oninput = () => {
      this.moment.value = Number(this.slider.value).toFixed(2);
      this.go(Number(this.slider.value));
    };
    this.open();
  }

  open() {
    const chosen = this.videos[this.chosen.value];
    this.hidden = !chosen;
    if (!chosen) return;
    this.slider.max = chosen.duration;
    this.video.poster = chosen.poster;
    this.video.src = chosen.url;
    this.go(Number(this.moment.value));
  }

  go(seconds) {
    this.slider.value = seconds;
    this.video.currentTime = seconds;
  }
}

customElements.define("moment-chooser", MomentChooser);
