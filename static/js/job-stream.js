// <job-stream data-socket="/ws/jobs/<id>/">: holds the line to the server and hands every event of the job, in order and
// once, to the elements inside it, as `job-events`. After a lost line it asks for what came after the last it has.

const SHORTEST = 500;
const LONGEST = 30_000;
const SIGNED_OUT = 4401;

class JobStream extends HTMLElement {
  connectedCallback() {
    this.seq = 0;
    this.failures = 0;
    this.back = () => this.open();
    addEventListener("online", this.back);
    // The elements inside listen once they are defined.
    queueMicrotask(() => this.open());
  }

  disconnectedCallback() {
    removeEventListener("online", this.back);
    clearTimeout(this.timer);
    this.socket?.close();
  }

  open() {
    if (this.socket && this.socket.readyState <= WebSocket.OPEN) return;
    clearTimeout(this.timer);
    const address = new URL(this.dataset.socket, location.href.replace(/^http/, "ws"));
    address.searchParams.set("after", this.seq);
    this.socket = new WebSocket(address);
    this.socket.onopen = () => this.show(null);
    this.socket.onmessage = (message) => this.take(JSON.parse(message.data));
    this.socket.onclose = (event) => this.closed(event.code);
  }

  take(events) {
    this.failures = 0;
    const fresh = events.filter((event) => event.seq > this.seq);
    if (!fresh.length) return;
    this.seq = fresh.at(-1).seq;
    for (const listener of this.querySelectorAll("job-progress, preview-strip, loss-chart")) listener.take?.(fresh);
    this.dispatchEvent(new CustomEvent("job-events", { detail: fresh }));
  }

  closed(code) {
    if (code === SIGNED_OUT) return location.assign(this.dataset.signIn);
    if (code >= 4000) return this.show("closed");
    this.show("lost");
    // Doubled each time, with chance in it, so that not everybody comes back in the same moment.
    const pause = Math.min(LONGEST, SHORTEST * 2 ** this.failures++) * (0.5 + Math.random() / 2);
    this.timer = setTimeout(() => this.open(), pause);
  }

  show(banner) {
    for (const note of this.querySelectorAll("[data-banner]")) note.hidden = note.dataset.banner !== banner;
  }
}

customElements.define("job-stream", JobStream);
