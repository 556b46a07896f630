// <crop-grid>: thousands of tiles of one size. It knows which tile has the focus and which are selected, and changes only
// the tiles that differ: nothing is ever moved or drawn anew under the pointer.

const FIELDS = ["number", "pk", "state", "mine", "revision"];

class CropGrid extends HTMLElement {
  /** `small(pk)`: address of a tile's picture; `label(tile)`: what a screen reader says; `wanted()`: the end is near. */
  begin({ small, label, wanted }) {
    Object.assign(this, { small, label });
    this.clear();
    this.end = document.createElement("div");
    this.end.role = "presentation";
    this.after(this.end);
    // What was seen between two frames comes together; the last is how it is now.
    const seen = (entries) => entries.at(-1).isIntersecting && wanted();
    this.watch = new IntersectionObserver(seen, { rootMargin: "0px 0px 3000px" });
    this.onclick = (event) => this.clicked(event);
    this.onkeydown = (event) => this.pressed(event);
    this.ondblclick = () => this.tell("look");
  }

  clear() {
    this.tiles = [];
    this.byNumber = new Map();
    this.at = this.anchor = 0;
    this.chosen = new Set();
    this.base = new Set();
    this.allBut = null;
    this.tail = null;
    this.replaceChildren();
  }

  // ---- tiles -------------------------------------------------------------------------------------------------------

  add(rows) {
    const fresh = document.createDocumentFragment();
    for (const row of rows) {
      const tile = Object.fromEntries(FIELDS.map((name, place) => [name, row[place]]));
      // A crop that changed its place between two pages is there already.
      if (this.byNumber.has(tile.number)) continue;
      tile.index = this.tiles.push(tile) - 1;
      tile.pending = 0;
      this.byNumber.set(tile.number, tile);
      fresh.append(this.make(tile));
    }
    this.append(fresh);
    if (this.tiles.length) this.mark();
    // Looked at anew, the end tells again if it is still near.
    this.watch.unobserve(this.end);
    this.watch.observe(this.end);
  }

  make(tile) {
    const element = (tile.element = document.createElement("div"));
    element.className = "tile";
    element.id = `crop-${tile.number}`;
    element.role = "option";
    element.tabIndex = -1;
    const picture = element.appendChild(new Image(this.size, this.size));
    picture.alt = "";
    picture.loading = "lazy";
    picture.decoding = "async";
    picture.src = this.small(tile.pk);
    this.draw(tile);
    element.ariaSelected = this.isSelected(tile);
    return element;
  }

  draw(tile) {
    const { dataset } = tile.element;
    dataset.state = tile.state;
    dataset.mine = tile.mine ?? "";
    tile.element.toggleAttribute("data-pending", tile.pending > 0);
    tile.element.ariaLabel = this.label(tile);
  }

  /** Take what the server says of some tiles; what it says of one whose verdict is on its way is out of date. */
  patch(rows) {
    for (const [number, , state, mine, revision] of rows) {
      const tile = this.byNumber.get(number);
      if (!tile || tile.pending || tile.revision > revision) continue;
      Object.assign(tile, { state, mine, revision });
      this.draw(tile);
    }
  }

  /** Show a verdict before it is saved. Call the function that is returned when the server has answered. */
  expect(tiles, mine) {
    const before = tiles.map((tile) => tile.mine);
    for (const tile of tiles) {
      tile.mine = mine;
      tile.pending += 1;
      this.draw(tile);
    }
    return (saved) => {
      for (const [place, tile] of tiles.entries()) {
        tile.pending -= 1;
        if (!saved && !tile.pending) tile.mine = before[place];
        this.draw(tile);
      }
    };
  }

  resize(size) {
    this.size = size;
    this.dataset.size = size;
    for (const { element, pk } of this.tiles) {
      const picture = element.firstChild;
      picture.width = picture.height = size;
      picture.src = this.small(pk);
    }
    this.tiles[this.at]?.element.scrollIntoView({ block: "nearest" });
  }

  // ---- where one is ------------------------------------------------------------------------------------------------

  get current() {
    return this.tiles[this.at];
  }

  /** Go to the tile at `index`, or as near as there are tiles; with `extend` everything on the way is selected. */
  go(index, { extend = false, focus = true } = {}) {
    if (!this.tiles.length) return;
    const old = this.current.element;
    this.at = Math.max(0, Math.min(this.tiles.length - 1, index));
    old.tabIndex = -1;
    old.removeAttribute("data-cursor");
    this.mark();
    if (focus) this.current.element.focus({ preventScroll: true });
    this.current.element.scrollIntoView({ block: "nearest" });
    if (extend) return this.extend();
    this.anchor = this.at;
    this.base = new Set(this.chosen);
  }

  /** The tile that the next verdict is about is always seen as such, wherever the focus is. */
  mark() {
    this.current.element.tabIndex = 0;
    this.current.element.setAttribute("data-cursor", "");
  }

  /** Whether the marked tile is in sight. */
  get inSight() {
    const { top, bottom } = this.current.element.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  }

  get columns() {
    return getComputedStyle(this).gridTemplateColumns.split(" ").length;
  }

  pressed(event) {
    if (event.altKey || event.metaKey || (event.ctrlKey && event.key !== "Home" && event.key !== "End")) return;
    const extend = event.shiftKey;
    if (event.key === "ArrowLeft") this.go(this.at - 1, { extend });
    else if (event.key === "ArrowRight") this.go(this.at + 1, { extend });
    else if (event.key === "ArrowUp") this.go(this.at - this.columns, { extend });
    else if (event.key === "ArrowDown") this.go(this.at + this.columns, { extend });
    else if (event.key === "Home") this.go(0, { extend });
    else if (event.key === "End" && extend) this.toTheEnd();
    else if (event.key === "End") this.go(this.tiles.length - 1);
    else if (event.key === " ") this.toggle(this.current);
    else return;
    event.preventDefault();
  }

  clicked(event) {
    const element = event.target.closest(".tile");
    if (!element) return;
    const tile = this.byNumber.get(Number(element.id.slice(5)));
    this.go(tile.index, { extend: event.shiftKey });
    if (event.ctrlKey || event.metaKey) this.toggle(tile);
  }

  // ---- selection ---------------------------------------------------------------------------------------------------

  isSelected(tile) {
    if (this.allBut) return !this.allBut.has(tile.number);
    return this.chosen.has(tile.number) || (this.tail !== null && tile.index >= this.tail);
  }

  get hasSelection() {
    return this.allBut !== null || this.tail !== null || this.chosen.size > 0;
  }

  /** The selection for the server; `last` is the number of the view's last crop. */
  selection(view, last) {
    if (this.allBut) return { view, all_but: [...this.allBut] };
    if (this.tail === null) return { numbers: [...this.chosen] };
    return { view, numbers: [...this.chosen], stretch: [this.tiles[this.tail].number, last] };
  }

  toggle(tile) {
    this.tail = null;
    const set = this.allBut ?? this.chosen;
    set.has(tile.number) ? set.delete(tile.number) : set.add(tile.number);
    this.anchor = tile.index;
    this.base = new Set(this.chosen);
    this.selected();
  }

  extend() {
    const [first, last] = [this.anchor, this.at].sort((one, other) => one - other);
    this.allBut = this.tail = null;
    this.chosen = new Set(this.base);
    for (const tile of this.tiles.slice(first, last + 1)) this.chosen.add(tile.number);
    this.selected();
  }

  toTheEnd() {
    this.allBut = null;
    this.chosen = new Set(this.base);
    this.tail = this.anchor;
    this.selected();
  }

  selectAll() {
    this.allBut = new Set();
    this.selected();
  }

  unselect() {
    this.allBut = this.tail = null;
    this.chosen = new Set();
    this.base = new Set();
    this.selected();
  }

  selected() {
    for (const tile of this.tiles) {
      const now = String(this.isSelected(tile));
      if (tile.element.ariaSelected !== now) tile.element.ariaSelected = now;
    }
    this.tell("selection");
  }

  tell(name) {
    this.dispatchEvent(new CustomEvent(name));
  }
}

customElements.define("crop-grid", CropGrid);
