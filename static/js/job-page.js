// The page of a job: what is live on it.

import "./job-progress.js";
import "./preview-strip.js";
import "./loss-chart.js";
import { refresh } from "./live-region.js";
import "./job-stream.js";

const stream = document.querySelector("job-stream");
const seen = Number(stream.dataset.seen);
let due;

// What changes seldom is drawn by the server; it is fetched again when it must have changed.
stream.addEventListener("job-events", ({ detail }) => {
  if (!detail.some(({ seq, kind }) => seq > seen && (kind === "state" || kind === "message"))) return;
  clearTimeout(due);
  due = setTimeout(() => refresh().catch(() => {}), 250 + 500 * Math.random());
});
