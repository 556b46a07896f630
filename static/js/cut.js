// Two pictures or videos of one size, one upon the other, cut by a handle that lies on them: the first is seen left of
// it, the second right of it. The handle is moved by pointer, anywhere on the picture, and by keys.

const STEPS = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, PageDown: -10, PageUp: 10, Home: -100, End: 100 };
const MOVED = 4;

/** Let `host` be cut. It has a `.pair` of figures and in it a `.handle`; `tapped`: what a click without a move does. */
export function cut(host, tapped = () => {}) {
  const pair = host.querySelector(".pair");
  const handle = host.querySelector(".handle");
  let from = null;
  let dragged = false;

  const show = (percent) => {
    const value = Math.min(100, Math.max(0, percent));
    host.style.setProperty("--cut", `${value}%`);
    handle.ariaValueNow = String(Math.round(value));
    handle.ariaValueText = `${Math.round(value)} %`;
  };
  const follow = ({ clientX }) => {
    const { left, width } = pair.getBoundingClientRect();
    show((100 * (clientX - left)) / width);
  };

  handle.hidden = false;
  host.classList.add("together");
  handle.onkeydown = (event) => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    show(Number(handle.ariaValueNow) + step);
  };
  pair.onpointerdown = (event) => {
    if (event.button !== 0) return;
    from = event.clientX;
    dragged = false;
  };
  pair.onpointermove = (event) => {
    if (from === null) return;
    if (!dragged && Math.abs(event.clientX - from) < MOVED) return;
    if (!dragged) pair.setPointerCapture(event.pointerId);
    dragged = true;
    follow(event);
  };
  pair.onpointerup = pair.onpointercancel = (event) => {
    if (from !== null && !dragged && event.type === "pointerup" && !event.target.closest(".handle")) tapped(event);
    from = null;
  };
  // A link or a picture under the pointer is not opened or carried off by moving the handle.
  pair.addEventListener("click", (event) => dragged && event.preventDefault(), true);
  pair.addEventListener("dragstart", (event) => event.preventDefault());
  show(50);
}
