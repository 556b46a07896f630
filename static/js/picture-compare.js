// <picture-compare>: two pictures of the same size as one, cut by a handle on them. Without this script they stand side
// by side.

import { cut } from "./cut.js";

class PictureCompare extends HTMLElement {
  connectedCallback() {
    cut(this);
  }
}

customElements.define("picture-compare", PictureCompare);
