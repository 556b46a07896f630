// The curation room: what its buttons and keys do, and how the page follows what others decide.

import "./crop-grid.js";
import { refresh } from "../live-region.js";
import { address, get, inTurn, post, SIGNED_OUT } from "./api.js";
import { Filters } from "./filters.js";
import { listenForKeys } from "./keys.js";
import { Loupe } from "./loupe.js";
import { say, text, warn } from "./say.js";

const POLL = 2000;
const STAY = 60_000;

const room = document.getElementById("room");
const grid = room.querySelector("crop-grid");
const reviews = "reviews" in room.dataset;
const start = JSON.parse(document.getElementById("start").textContent);
let { revision, counts, more } = start;
let loading = null;
/** How many crops the selection holds and the last of its view; a promise while the server counts. */
let counted = null;

// ---- tiles ---------------------------------------------------------------------------------------------------------

grid.begin({
  small: (pk) => address(`small/${grid.size}/${pk}`),
  label: ({ number, state, mine }) =>
    [text("tile", { number, state: text(state) }), mine && text("mine", { verdict: text(mine) })].filter(Boolean).join(", "),
  wanted,
});

function wanted() {
  load().catch((error) => {
    lost(error);
    setTimeout(wanted, POLL);
  });
}

/** The next page of tiles; whoever asks while it is on its way waits for the same. */
function load() {
  if (!more) return Promise.resolve();
  return (loading ??= loadPage().finally(() => (loading = null)));
}

async function loadPage() {
  const { view } = filters;
  const page = await get("tiles", { view: JSON.stringify(view), after: grid.tiles.at(-1).number });
  // The view may have changed while the page was on its way.
  if (view === filters.view) takePage(page);
}

function takePage(page) {
  more = page.more;
  grid.add(page.tiles);
  showCounts();
}

async function show(view) {
  filters.view = view;
  history.replaceState(null, "", `?${new URLSearchParams({ view: JSON.stringify(view) })}`);
  grid.ariaBusy = "true";
  const page = await get("tiles", { view: JSON.stringify(view) });
  if (view !== filters.view) return;
  grid.ariaBusy = "false";
  grid.clear();
  select();
  takePage(page);
}

/** A few crops in an order of their own. */
function showThese(page) {
  filters.view = { numbers: page.tiles.map(([number]) => number) };
  filters.draw();
  grid.clear();
  select();
  takePage(page);
  grid.go(0);
}

function showCounts() {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  document.getElementById("shown").textContent = text("shown", { loaded: grid.tiles.length, total: all });
  for (const button of room.querySelectorAll("[data-state][aria-pressed]")) {
    button.querySelector(".number").textContent = counts[button.dataset.state];
  }
  const nothing = document.getElementById("nothing");
  nothing.hidden = grid.tiles.length > 0;
  nothing.textContent = text("none");
}

function setSize(size) {
  localStorage.setItem("tile-size", size);
  grid.resize(size);
  for (const button of room.querySelectorAll(".sizes button")) button.ariaPressed = String(Number(button.dataset.size) === size);
}

// ---- what others do ------------------------------------------------------------------------------------------------

function take(answer) {
  if (answer.tiles) grid.patch(answer.tiles);
  if (answer.counts && answer.revision >= revision) ({ counts } = answer);
  revision = Math.max(revision, answer.revision);
  others(answer.present);
  showCounts();
}

function others(people) {
  document.getElementById("others").textContent = people.length ? text("others", { people: people.join(", ") }) : text("alone");
}

let polling = false;

async function poll() {
  if (document.hidden || polling || over) return;
  polling = true;
  try {
    const changes = await get("changes", { since: revision });
    take(changes);
    if (!unsaved) warn(null);
  } catch (error) {
    lost(error);
  }
  polling = false;
}

function lost(error) {
  if (withdrawn(error)) return;
  if (error.status === SIGNED_OUT && !unsaved) return location.assign(room.dataset.signIn);
  // Gone, or nobody of the team any more: let the browser show that.
  if (error.status === 404 || error.status === 403) location.reload();
  else waiting(error);
}

/** What the page waits for, and how much of it is not saved. */
function waiting(error) {
  if (error.status === SIGNED_OUT) warn("signed.out", { count: unsaved });
  else if (unsaved) warn("unsaved", { count: unsaved });
  else warn("lost");
}

let over = false;

/** Whether a consent is no longer there. Nothing of the person stays on the screen then, and the page says why. */
function withdrawn({ status, body }) {
  if (status !== 409 || !body.code?.startsWith("consent.")) return false;
  if (over) return true;
  over = true;
  more = false;
  unsaved = 0;
  room.replaceChildren();
  document.getElementById("main").replaceChildren(Object.assign(document.createElement("p"), { className: "note warning", role: "alert", textContent: body.text }));
  // The whole page as it is now, with ways on; where that fails, the sentence stays.
  refresh().catch(() => {});
  return true;
}

// ---- decisions -----------------------------------------------------------------------------------------------------

let unsaved = 0;

async function decide(value) {
  if (!grid.tiles.length) return;
  if (!grid.hasSelection && !loupe.open && !grid.inSight) {
    grid.go(grid.at);
    return say("cursor.away");
  }
  // In the loupe it is the crop that one sees.
  const bulk = grid.hasSelection && !loupe.open;
  const shown = bulk ? grid.tiles.filter((tile) => grid.isSelected(tile)) : [grid.current];
  const selection = bulk ? undefined : { numbers: [grid.current.number] };
  const saved = grid.expect(shown, value);
  if (!bulk) advance();
  await change("decide", async () => ({ selection: selection ?? (await chosen()), value }), `${value ?? "clear"}.done`, saved);
}

/** Post a change; `saved(whether)` is called when it is known. */
async function change(path, content, done, saved = () => {}) {
  const selected = loupe.open ? null : counted;
  const verdict = path === "decide" ? 1 : 0;
  unsaved += verdict;
  try {
    const answer = await inTurn(async () => send(path, { ...(await content()), seen: revision }));
    saved(true);
    take(answer);
    if (unsaved <= verdict) warn(null);
    // What was decided on is no longer selected, unless somebody has selected anew meanwhile.
    if (selected && selected === counted) grid.unselect();
    say(done, { count: answer.count });
    loupe.refresh();
  } catch (error) {
    saved(false);
    failed(error);
  } finally {
    unsaved = Math.max(0, unsaved - verdict);
  }
}

/** Post a change. A verdict is sent again until the server answers: to give it twice is to give it once. */
async function send(path, content) {
  for (;;) {
    try {
      return await post(path, content);
    } catch (error) {
      const passes = error.status === undefined || error.status === SIGNED_OUT || error.status >= 500;
      if (path !== "decide" || !passes || over) throw error;
      waiting(error);
      await new Promise((later) => setTimeout(later, POLL));
    }
  }
}

addEventListener("beforeunload", (event) => unsaved && event.preventDefault());

function failed(error) {
  if (withdrawn(error)) return;
  const { status, body } = error;
  if (status === 409 && body.code === "stale") {
    take(body);
    warn("stale", { count: body.count });
    select();
  } else if (status === 409) {
    say("undo.nothing");
  } else {
    // What the page shows may be wrong now: everything that ever changed is asked for again.
    revision = 0;
    warn(status === 403 ? "refused" : "failed");
  }
}

function advance() {
  if (loupe.open) step(1);
  else grid.go(grid.at + 1);
}

function look() {
  if (grid.current) loupe.show(grid.current).catch(lost);
}

/** On to another crop in the loupe. */
function step(by) {
  grid.go(grid.at + by, { focus: false });
  look();
}

async function chosen() {
  const { count, last } = await counted;
  return { ...grid.selection(filters.view, last), expected: count };
}

/** The crops that a change for the team is about: those selected, or the one that has the focus. */
const meant = async () => ({ selection: grid.hasSelection ? await chosen() : { numbers: [grid.current.number] } });

/** Count what is selected; the server does that where tiles are meant that aren't loaded. */
async function select() {
  const shown = document.getElementById("selected");
  shown.textContent = "";
  counted = null;
  if (!grid.hasSelection) return;
  const mine = (counted = count());
  try {
    const { count } = await mine;
    if (mine === counted) shown.textContent = text("selected", { count });
  } catch (error) {
    if (mine === counted) failed(error);
  }
}

async function count() {
  if (!grid.allBut && grid.tail === null) return { count: grid.chosen.size };
  const { last } = await post("count", { view: filters.view });
  return { last, count: (await post("count", grid.selection(filters.view, last))).count };
}

async function nextUnreviewed() {
  for (let at = grid.at + 1; ; at += 1) {
    if (at >= grid.tiles.length && more) await load();
    const tile = grid.tiles[at];
    if (!tile) return say("reviewed");
    if ((tile.state === "new" || tile.state === "unsure") && !tile.mine) return grid.go(at);
  }
}

async function takeSlice() {
  const { numbers } = await post("slice", {});
  if (!numbers.length) return say("slice.none");
  await show({ numbers });
  filters.draw();
  grid.go(0);
  say("slice", { count: numbers.length });
}

async function moreAlike() {
  if (!grid.current) return;
  const { number } = grid.current;
  showThese(await get(`crops/${number}/alike`));
  say("alike", { number });
}

const ACTIONS = {
  keep: () => decide("keep"),
  reject: () => decide("reject"),
  clear: () => decide(null),
  undo: () => change("undo", async () => ({}), "undo.done"),
  look,
  next: () => nextUnreviewed().catch(lost),
  alike: () => moreAlike().catch((error) => (error.body?.code === "unlike" ? say("unlike") : lost(error))),
  all: () => grid.selectAll(),
  none: () => grid.unselect(),
  slice: () => takeSlice().catch(lost),
  help: () => document.getElementById("help").showModal(),
};

// ---- the page ------------------------------------------------------------------------------------------------------

const filters = new Filters(room, JSON.parse(start.view), (view) => show(view).catch(lost));
const loupe = new Loupe(document.getElementById("loupe"), step, () => grid.go(grid.at));

grid.addEventListener("selection", select);
grid.addEventListener("look", look);
room.addEventListener("click", ({ target }) => ACTIONS[target.closest("[data-do]")?.dataset.do]?.());
for (const button of room.querySelectorAll("[data-size]:not(crop-grid)")) button.onclick = () => setSize(Number(button.dataset.size));
for (const button of room.querySelectorAll("[data-close]")) button.onclick = () => button.closest("dialog").close();
for (const button of room.querySelectorAll("[data-settle]")) {
  button.onclick = () => change("settle", async () => ({ ...(await meant()), value: button.dataset.settle || null }), "settle.done");
}
const best = document.getElementById("best");
if (best) {
  best.onsubmit = (event) => {
    event.preventDefault();
    change("best", async () => ({ count: best.count.valueAsNumber }), "best.done");
  };
  document.getElementById("thin").onclick = () => change("best", async () => ({}), "best.done");
}
listenForKeys(room, grid);

room.hidden = false;
setSize(Number(localStorage.getItem("tile-size")) || 144);
takePage(start);
grid.go(0, { focus: false });
others([]);
setInterval(poll, POLL);
document.addEventListener("visibilitychange", poll);
if (reviews) {
  const here = (content, more) => post("presence", content, more).then(({ present }) => others(present), () => {});
  here({ here: true });
  setInterval(() => document.hidden || here({ here: true }), STAY);
  addEventListener("pagehide", () => here({ here: false }, { keepalive: true }));
}
