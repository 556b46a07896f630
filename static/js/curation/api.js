// What the room asks of the server.

import { csrfToken } from "../csrf.js";

const room = document.getElementById("room");

export const SIGNED_OUT = 401;

export class Refusal extends Error {
  constructor(status, body) {
    super(`HTTP ${status}`);
    Object.assign(this, { status, body });
  }
}

export const address = (path) => `${room.dataset.base}${path}`;

export const get = (path, params = {}) => ask(`${address(path)}?${new URLSearchParams(params)}`, { cache: "no-store" });

export const post = (path, content, more = {}) =>
  ask(address(path), {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
    body: JSON.stringify(content),
    ...more,
  });

async function ask(url, options) {
  const answer = await fetch(url, options);
  if (answer.redirected) throw new Refusal(SIGNED_OUT, {});
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(answer.status, body);
  return body;
}

let last = Promise.resolve();

/** Do `work` after all that was asked for before it: verdicts on one crop arrive in the order they were given in. */
export function inTurn(work) {
  const mine = last.then(work);
  last = mine.catch(() => {});
  return mine;
}
