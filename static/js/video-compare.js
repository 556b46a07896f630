// <video-compare>: two videos of the same length as one picture, cut by a handle on it, played together. Without this
// script they stand side by side. Links with `data-at` on the page lead to that second of it.

import { cut } from "./cut.js";

const APART = 0.04;

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

class VideoCompare extends HTMLElement {
  connectedCallback() {
    [this.before, this.after] = this.querySelectorAll("video");
    this.time = this.querySelector("[data-time]");
    this.clock = this.querySelector("[data-clock]");
    this.button = this.querySelector("[data-play]");
    this.button.onclick = () => this.toggle();
    this.time.oninput = () => this.seek(Number(this.time.value));
    for (const type of ["play", "pause", "ended"]) this.after.addEventListener(type, () => this.follow());
    this.after.addEventListener("timeupdate", () => this.keepTogether());
    for (const type of ["loadedmetadata", "durationchange"]) this.after.addEventListener(type, () => this.fit());
    for (const video of [this.before, this.after]) {
      video.controls = false;
      video.addEventListener("error", () => this.complain());
      if (video.error) this.complain();
    }
    this.addSound();
    this.addFullScreen();
    this.querySelector(".controls").hidden = false;
    cut(this, () => this.toggle());
    this.fit();
    this.jump = (event) => this.jumpTo(event);
    document.addEventListener("click", this.jump);
  }

  disconnectedCallback() {
    document.removeEventListener("click", this.jump);
  }

  /** As wide as the picture is, so that no black bar beside it is cut as well. */
  fit() {
    const { videoWidth, videoHeight, duration } = this.after;
    if (videoWidth) this.style.setProperty("--ratio", videoWidth / videoHeight);
    if (duration) this.time.max = duration;
    this.keepTogether();
  }

  addSound() {
    const button = this.querySelector("[data-mute]");
    button.onclick = () => (this.after.muted = !this.after.muted);
    this.after.addEventListener("volumechange", () => (button.ariaPressed = this.after.muted));
  }

  addFullScreen() {
    const button = this.querySelector("[data-full]");
    button.hidden = !document.fullscreenEnabled;
    button.onclick = () => (document.fullscreenElement ? document.exitFullscreen() : this.requestFullscreen());
  }

  complain() {
    this.querySelector("[data-problem]").hidden = false;
  }

  toggle() {
    if (!this.after.paused) return [this.before, this.after].forEach((video) => video.pause());
    this.seek(this.after.ended ? 0 : this.after.currentTime);
    this.after.play().catch(() => this.after.error && this.complain());
  }

  seek(seconds) {
    this.after.currentTime = this.before.currentTime = seconds;
  }

  jumpTo(event) {
    const link = event.target.closest?.("a[data-at]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.after.pause();
    this.seek(Number(link.dataset.at));
    this.scrollIntoView({ block: "nearest" });
    this.time.focus({ preventScroll: true });
  }

  /** What the result does, the video before the swap does too. */
  follow() {
    const playing = !this.after.paused && !this.after.ended;
    if (playing) this.before.play().catch(() => {});
    else this.before.pause();
    this.button.textContent = playing ? this.button.dataset.pause : this.button.dataset.play;
    this.keepTogether();
  }

  keepTogether() {
    const { currentTime, duration } = this.after;
    if (Math.abs(this.before.currentTime - currentTime) > APART) this.before.currentTime = currentTime;
    this.time.value = currentTime;
    const told = duration ? `${clock(currentTime)} / ${clock(duration)}` : "";
    this.clock.textContent = told;
    this.time.ariaValueText = told;
  }
}

customElements.define("video-compare", VideoCompare);
