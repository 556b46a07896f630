// <live-region id="…" data-every="2">: a part of the page that follows the server's. The page is fetched again and only
// what differs is changed, so that focus, open menus and the scroll position stay.

export async function refresh() {
  const answer = await fetch(location.href, { cache: "no-store", headers: { Accept: "text/html" } });
  // Signed out, or the thing is gone: let the browser show that, unless the page has something to lose (`live-gone`).
  if (answer.redirected || answer.status === 404) {
    const leave = document.dispatchEvent(new CustomEvent("live-gone", { cancelable: true }));
    return leave ? location.reload() : undefined;
  }
  const refused = answer.status === 409;
  if (!answer.ok && !refused) throw new Error(`HTTP ${answer.status}`);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  // Somebody has withdrawn their consent: nothing of them stays on the screen, and the page says why.
  if (refused) {
    document.title = fresh.title;
    return document.getElementById("main").replaceChildren(...document.importNode(fresh.getElementById("main"), true).childNodes);
  }
  for (const region of document.querySelectorAll("live-region[id]")) {
    const now = fresh.getElementById(region.id);
    if (now) patch(region, now);
  }
}

function patch(old, now) {
  // What has `data-own` is its own script's (or is being played), once it is there.
  if (old.isEqualNode(now) || (old.nodeName === now.nodeName && old.dataset?.own !== undefined)) return;
  if (old.nodeName !== now.nodeName || old.id !== now.id) return old.replaceWith(document.importNode(now, true));
  if (old.nodeType !== Node.ELEMENT_NODE) return void (old.nodeValue = now.nodeValue);
  for (const { name, value } of now.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...old.attributes]) if (!now.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  patchChildren(old, now);
}

function patchChildren(old, now) {
  // A row that moved is found by its id; everything else by its place.
  const byId = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  let at = old.firstChild;
  for (const child of [...now.childNodes]) {
    const known = byId.get(child.id);
    if (known && known !== at) old.insertBefore(known, at);
    const same = known ?? (at?.id ? null : at);
    if (same) {
      const next = same === at ? at.nextSibling : at;
      patch(same, child);
      at = next;
    } else {
      old.insertBefore(document.importNode(child, true), at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

class LiveRegion extends HTMLElement {
  connectedCallback() {
    if (this.dataset.every) this.wait();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  /** How long is asked each time: the server may have changed it with the rest. */
  wait() {
    this.timer = setTimeout(() => this.tick().finally(() => this.isConnected && this.wait()), Number(this.dataset.every) * 1000);
  }

  async tick() {
    if (document.hidden) return;
    try {
      await refresh();
      this.removeAttribute("data-stale");
    } catch {
      this.setAttribute("data-stale", "");
    }
  }
}

customElements.define("live-region", LiveRegion);
