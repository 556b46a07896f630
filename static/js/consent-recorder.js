/* Records a person who reads a phrase aloud, and sends it with the form. Without this the form takes a video file. */

const KINDS = ["video/mp4;codecs=avc1,mp4a.40.2", "video/webm;codecs=vp8,opus", "video/webm"];

class ConsentRecorder extends HTMLElement {
  connectedCallback() {
    this.form = this.closest("form");
    this.video = this.querySelector("video");
    this.input = this.querySelector("[name=recording]");
    this.said = this.querySelector("[data-said]");
    this.problem = this.querySelector("[data-problem]");
    this.buttons = Object.fromEntries(["record", "stop", "again"].map((name) => [name, this.querySelector(`[data-${name}]`)]));
    this.form.addEventListener("change", () => this.choose());
    this.form.addEventListener("submit", (event) => this.send(event));
    if (!navigator.mediaDevices?.getUserMedia || !window.MediaRecorder) {
      this.complain(this.dataset.none);
      this.choose();
      return;
    }
    this.querySelector(".by-file").hidden = true;
    this.querySelector(".buttons").hidden = false;
    this.buttons.record.addEventListener("click", () => this.record());
    this.buttons.again.addEventListener("click", () => this.record());
    this.buttons.stop.addEventListener("click", () => this.recorder?.stop());
    this.choose();
  }

  disconnectedCallback() {
    this.release();
  }

  /* Only what belongs to the chosen way is shown. A form that is sent without a use would cost the recording. */
  choose() {
    const uses = [...this.form.querySelectorAll("[name=purposes]")];
    uses[0].setCustomValidity(uses.some((use) => use.checked) ? "" : this.dataset.unticked);
    this.webcam = this.form.elements.way.value === "webcam";
    this.hidden = !this.webcam;
    this.form.querySelector(".for-file").hidden = this.webcam;
  }

  async record() {
    this.problem.hidden = true;
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480, facingMode: "user" }, audio: true });
    } catch {
      this.complain(this.dataset.refused);
      return;
    }
    this.show(this.stream);
    const pieces = [];
    const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
    this.recorder = new MediaRecorder(this.stream, { mimeType, videoBitsPerSecond: 1_500_000 });
    this.recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
    this.recorder.addEventListener("stop", () => this.keep(pieces, mimeType));
    this.recorder.start();
    this.left = Number(this.dataset.seconds);
    this.tell();
    this.clock = setInterval(() => this.tell(), 1000);
    this.toggle({ stop: true });
    this.buttons.stop.focus();
  }

  tell() {
    this.said.textContent = `● ${this.left} s`;
    if (this.left-- <= 0) this.recorder.stop();
  }

  keep(pieces, mimeType) {
    this.release();
    const recording = new File(pieces, `recording.${mimeType.includes("mp4") ? "mp4" : "webm"}`, { type: mimeType });
    const carried = new DataTransfer();
    carried.items.add(recording);
    this.input.files = carried.files;
    this.querySelector("[name=recorded]").value = "yes";
    this.show(recording);
    this.said.textContent = "";
    this.toggle({ again: true });
    this.buttons.again.focus();
  }

  /* The camera as in a mirror; the recording as others see it, with sound. */
  show(source) {
    const live = source instanceof MediaStream;
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = live ? null : URL.createObjectURL(source);
    this.video.srcObject = live ? source : null;
    if (live) this.video.removeAttribute("src");
    else this.video.src = this.address;
    this.video.muted = live;
    this.video.controls = !live;
    this.video.classList.toggle("mirrored", live);
    this.video.hidden = false;
    if (live) this.video.play();
  }

  release() {
    clearInterval(this.clock);
    this.stream?.getTracks().forEach((track) => track.stop());
  }

  toggle(shown) {
    for (const [name, button] of Object.entries(this.buttons)) button.hidden = !shown[name];
  }

  complain(text) {
    this.problem.textContent = text;
    this.problem.hidden = false;
  }

  send(event) {
    if (this.webcam && !this.input.files.length) {
      event.preventDefault();
      this.complain(this.dataset.unsent);
      return;
    }
    this.form.querySelector("[data-sending]").hidden = false;
    this.form.querySelector("button.main").disabled = true;
  }
}

customElements.define("consent-recorder", ConsentRecorder);
