// <verify-file>: sends a file in parts, which no limit of a single request holds up, and shows what the studio read.

class Refused extends Error {}

class VerifyFile extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.progress = this.querySelector("progress");
    this.input = this.querySelector("input[type=file]");
    this.input.addEventListener("change", () => this.input.files[0] && this.verify(this.input.files[0]));
    for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
    addEventListener("dragover", () => this.classList.add("over"));
    addEventListener("dragleave", (event) => event.relatedTarget || this.classList.remove("over"));
    addEventListener("drop", (event) => {
      this.classList.remove("over");
      if (event.dataTransfer.files[0]) this.verify(event.dataTransfer.files[0]);
    });
  }

  async verify(file) {
    if (this.input.disabled) return;
    this.say(file.size > Number(this.dataset.largest) ? "large" : null);
    if (file.size > Number(this.dataset.largest)) return;
    this.input.disabled = true;
    document.getElementById("reading").replaceChildren();
    this.progress.hidden = false;
    try {
      const { token } = await this.send(this.dataset.begin);
      for (let offset = 0; offset < file.size; ) {
        const part = file.slice(offset, offset + Number(this.dataset.part));
        ({ offset } = await this.send(`${this.dataset.begin}${token}/?offset=${offset}`, part));
        this.progress.value = offset / file.size;
      }
      const asked = new URLSearchParams({ token, name: file.name });
      const answer = await fetch(this.form.action, { method: "POST", body: asked, headers: { Accept: "text/html" } });
      this.show(await answer.text());
    } catch (error) {
      this.say(error instanceof Refused ? "refused" : "lost", error.message);
    } finally {
      this.input.disabled = false;
      this.progress.hidden = true;
      this.progress.removeAttribute("value");
      this.form.reset();
    }
  }

  async send(address, body = null) {
    const answer = await fetch(address, { method: "POST", body, headers: { "Content-Type": "application/octet-stream" } });
    const said = await answer.json();
    if (!answer.ok) throw new Refused(said.text);
    return said;
  }

  show(text) {
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("reading");
    const reading = document.getElementById("reading");
    reading.replaceChildren(...document.importNode(fresh, true).childNodes);
    reading.focus();
  }

  say(what, text = "") {
    for (const name of ["large", "lost", "refused"]) this.querySelector(`[data-${name}]`).hidden = name !== what;
    this.querySelector("[data-refused]").textContent = text;
  }
}

customElements.define("verify-file", VerifyFile);
