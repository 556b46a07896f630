// <picture-compare>: two pictures of the same size as one, cut by a slider. Without this script they stand side by side.

class PictureCompare extends HTMLElement {
  connectedCallback() {
    this.classList.add("together");
    const label = this.querySelector("label");
    const cut = label.querySelector("input");
    label.hidden = false;
    cut.oninput = () => this.style.setProperty("--cut", `${cut.value}%`);
    cut.oninput();
  }
}

customElements.define("picture-compare", PictureCompare);
