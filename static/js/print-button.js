// <print-button>: only with scripts is there something to press.

class PrintButton extends HTMLElement {
  connectedCallback() {
    const button = this.querySelector("button");
    button.hidden = false;
    button.onclick = () => print();
  }
}

customElements.define("print-button", PrintButton);
