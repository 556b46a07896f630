// <upload-room data-endpoint="…" data-part="bytes" data-largest="bytes">: files go to the server in parts, two files at
// a time. What was broken off goes on where it was when the same file is chosen again, also after a reload.

import { csrfToken } from "./csrf.js";
import { refresh } from "./live-region.js";
import { left, number } from "./words.js";

const AT_ONCE = 2;
const LOOK_MS = 1500;
const SIGN_IN_MS = 3000;

const signedOut = (error) => error.originalResponse?.getStatus() === 401;

class Sending {
  constructor(room, file) {
    this.room = room;
    this.file = file;
    this.state = "waiting";
    this.item = room.template.content.firstElementChild.cloneNode(true);
    this.find(".name").textContent = file.name;
    this.find("progress").setAttribute("aria-label", file.name);
    for (const button of this.item.querySelectorAll("button")) button.setAttribute("aria-label", `${button.textContent}: ${file.name}`);
    this.find("[data-pause]").onclick = () => this.pause();
    this.find("[data-resume]").onclick = () => this.resume();
    this.find("[data-remove]").onclick = () => this.remove();
    room.list.append(this.item);
    this.tus = new tus.Upload(file, {
      endpoint: room.dataset.endpoint,
      chunkSize: Number(room.dataset.part),
      retryDelays: [0, 1000, 3000, 5000, 10000, 20000, 30000, 60000],
      removeFingerprintOnSuccess: true,
      metadata: { filename: file.name },
      // Whoever signs in next on this computer has nothing to do with what was broken off here.
      fingerprint: async () => ["tus", room.dataset.endpoint, file.name, file.size, file.lastModified].join("|"),
      onBeforeRequest: (request) => request.setHeader("X-CSRFToken", csrfToken()),
      onShouldRetry: (error) => !signedOut(error) && !this.reason(error),
      onProgress: (sent, all) => this.tell(sent, all),
      onSuccess: () => this.end(),
      onUploadUrlAvailable: () => room.look(),
      onError: (error) => (signedOut(error) ? this.wait() : this.fail(this.reason(error), room.words.line)),
    });
    if (file.size > Number(room.dataset.largest)) this.fail(room.words.too_large);
    else if (file.size === 0) this.fail(room.words.empty);
    this.show();
  }

  find(selector) {
    return this.item.querySelector(selector);
  }

  /** Why the server refuses for good, in its own words; nothing where trying again may help. */
  reason(error) {
    const answer = error.originalResponse;
    const status = answer?.getStatus() ?? 0;
    if (status === 409 && answer.getHeader("Upload-Error")?.startsWith("consent.")) return answer.getBody();
    if (status === 409 || status === 423 || status === 460 || status < 400 || status >= 500) return null;
    return answer.getHeader("Upload-Error") ? answer.getBody() : this.room.words.refused;
  }

  async start() {
    this.state = "sending";
    this.since = null;
    this.show();
    const earlier = await this.tus.findPreviousUploads();
    if (earlier.length) this.tus.resumeFromPreviousUpload(earlier[0]);
    if (this.state === "sending") this.tus.start();
  }

  tell(sent, all) {
    this.since ??= { at: performance.now(), sent };
    const seconds = (performance.now() - this.since.at) / 1000;
    const rate = (sent - this.since.sent) / seconds;
    this.find("progress").value = sent / all;
    const megabytes = `${number(sent / 1e6)} / ${number(all / 1e6)} MB`;
    const soon = seconds > 2 && rate > 0 ? ` · ${number(rate / 1e6, 1)} MB/s · ${left((all - sent) / rate)}` : "";
    this.find(".figures").textContent = megabytes + soon;
  }

  /** Until somebody has signed in again, in another tab. */
  wait() {
    this.fail(null, this.room.words.signed_out);
    this.state = "signed-out";
    this.show();
    this.room.waitForSignIn();
  }

  /** Whether that is the same file, chosen once more. */
  isOf({ name, size, lastModified }) {
    return this.file.name === name && this.file.size === size && this.file.lastModified === lastModified;
  }

  pause() {
    this.state = "paused";
    this.tus.abort();
    this.show();
    this.room.next();
  }

  resume() {
    this.state = "waiting";
    this.find(".bad").hidden = true;
    this.show();
    this.room.next();
  }

  remove() {
    const known = this.tus.url;
    this.state = "gone";
    this.item.remove();
    // The server forgets it as well; what it can't be told now, it removes by itself when it expires.
    if (known) this.tus.abort(true).catch(() => {}).then(() => this.room.look());
    this.room.next();
  }

  end() {
    this.state = "gone";
    this.item.remove();
    this.room.say(`${this.file.name}: ${this.room.words.arrived}`);
    this.room.next();
    this.room.look();
  }

  /** It ends: for good with the server's `reason`, otherwise until somebody wants to go on. */
  fail(reason, otherwise) {
    const words = reason ?? otherwise;
    this.state = reason ? "refused" : "failed";
    this.find(".bad").textContent = words;
    this.find(".bad").hidden = false;
    this.room.say(`${this.file.name}: ${words}`);
    this.show();
    this.room.next();
  }

  show() {
    this.find("[data-pause]").hidden = !["sending", "waiting"].includes(this.state);
    this.find("[data-resume]").hidden = !["paused", "failed", "signed-out"].includes(this.state);
    if (this.state === "waiting") this.find(".figures").textContent = this.room.words.waiting;
  }
}

class UploadRoom extends HTMLElement {
  all = [];

  connectedCallback() {
    this.words = JSON.parse(document.getElementById("upload-words").textContent);
    this.template = this.querySelector("template");
    this.list = this.querySelector(".sending");
    const input = this.querySelector("input[type=file]");
    input.onchange = () => {
      this.add(input.files);
      input.value = "";
    };
    // A file that misses the card would otherwise replace the page.
    for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
    addEventListener("dragover", () => this.classList.add("over"));
    addEventListener("dragleave", (event) => event.relatedTarget ?? this.classList.remove("over"));
    addEventListener("drop", (event) => {
      this.classList.remove("over");
      this.add(event.dataTransfer.files);
    });
    addEventListener("beforeunload", (event) => this.busy() && event.preventDefault());
    // Leaving for the sign-in page would lose the files that were chosen.
    document.addEventListener("live-gone", (event) => this.all.length && event.preventDefault());
  }

  add(files) {
    for (const file of files) {
      const known = this.all.find((one) => one.isOf(file) && one.state !== "refused");
      if (!known) this.all.push(new Sending(this, file));
      else if (["paused", "failed", "signed-out"].includes(known.state)) known.resume();
    }
    this.next();
  }

  waitForSignIn() {
    this.querySelector("[data-signed-out]").hidden = false;
    this.signIn ??= setInterval(() => document.hidden || this.askSignedIn(), SIGN_IN_MS);
  }

  /** Go on with all that waits for it once somebody has signed in. */
  async askSignedIn() {
    const answer = await fetch(this.dataset.endpoint, { method: "OPTIONS", cache: "no-store" }).catch(() => null);
    if (!answer?.ok) return;
    clearInterval(this.signIn);
    this.signIn = null;
    this.querySelector("[data-signed-out]").hidden = true;
    for (const one of this.all) if (one.state === "signed-out") one.resume();
  }

  /** Start what waits, as far as there is room. */
  next() {
    this.all = this.all.filter((one) => one.state !== "gone");
    for (const one of this.all) {
      if (this.all.filter((other) => other.state === "sending").length >= AT_ONCE) return;
      if (one.state === "waiting") one.start();
    }
  }

  busy() {
    return this.all.some((one) => ["sending", "waiting", "signed-out"].includes(one.state));
  }

  /** Look again at what the server has; what this page is sending is not broken off. */
  async look() {
    await refresh().catch(() => {});
    for (const { tus } of this.all) {
      const row = tus.url && document.getElementById(`upload-${tus.url.split("/").at(-2)}`);
      if (row) row.hidden = true;
    }
  }

  say(words) {
    this.querySelector("[data-said]").textContent = words;
  }
}

customElements.define("upload-room", UploadRoom);

// What is being checked is looked at until it isn't.
setInterval(() => {
  if (document.hidden || !document.querySelector(".asset.checking")) return;
  document.querySelector("upload-room")?.look() ?? refresh().catch(() => {});
}, LOOK_MS);
