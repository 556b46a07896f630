// What the charts of the studio share: colours of the style sheet, axes, and following the width and the colours chosen.

/** A colour of the style sheet as a canvas understands it. */
export function colour(element, name) {
  element.style.borderColor = `var(${name})`;
  const found = getComputedStyle(element).borderTopColor;
  element.style.borderColor = "";
  return found;
}

export const axis = (element) => ({
  stroke: colour(element, "--quiet"),
  grid: { stroke: colour(element, "--line"), width: 1 },
  ticks: { show: false },
});

/** Keep the element's plot as wide as it is, and draw it anew in other colours; what ends that. */
export function follow(element, height, draw) {
  const sizes = new ResizeObserver(() => element.plot?.setSize({ width: element.clientWidth, height }));
  const dark = matchMedia("(prefers-color-scheme: dark)");
  sizes.observe(element);
  dark.addEventListener("change", draw);
  return () => {
    sizes.disconnect();
    dark.removeEventListener("change", draw);
    element.plot?.destroy();
  };
}
