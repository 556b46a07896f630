// <video-compare>: two videos of the same length as one picture, cut by a slider, played together. Without this script
// they stand side by side.

const APART = 0.04;

class VideoCompare extends HTMLElement {
  connectedCallback() {
    [this.before, this.after] = this.querySelectorAll("video");
    this.time = this.querySelector("[data-time]");
    this.cut = this.querySelector("[data-cut]");
    this.button = this.querySelector("[data-play]");
    this.button.onclick = () => this.play(this.after.paused);
    this.time.oninput = () => this.seek(Number(this.time.value));
    this.cut.oninput = () => this.draw();
    for (const type of ["play", "pause", "ended"]) this.after.addEventListener(type, () => this.follow());
    this.after.addEventListener("timeupdate", () => this.keepTogether());
    for (const video of [this.before, this.after]) video.controls = false;
    this.classList.add("together");
    this.querySelector(".controls").hidden = false;
    this.draw();
  }

  play(on) {
    if (!on) return [this.before, this.after].forEach((video) => video.pause());
    this.seek(this.after.ended ? 0 : this.after.currentTime);
    this.after.play().catch(() => {});
  }

  seek(seconds) {
    this.after.currentTime = this.before.currentTime = seconds;
  }

  /** What the result does, the video before the swap does too. */
  follow() {
    const playing = !this.after.paused && !this.after.ended;
    if (playing) this.before.play().catch(() => {});
    else this.before.pause();
    this.button.ariaPressed = playing;
    this.keepTogether();
  }

  keepTogether() {
    const { currentTime, duration } = this.after;
    if (Math.abs(this.before.currentTime - currentTime) > APART) this.before.currentTime = currentTime;
    if (duration) this.time.max = duration;
    this.time.value = currentTime;
  }

  draw() {
    this.style.setProperty("--cut", `${this.cut.value}%`);
  }
}

customElements.define("video-compare", VideoCompare);
