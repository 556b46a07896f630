// The secret that the server wants with every change. It becomes another one when somebody signs in, also in another tab;
// the cookie then has the new one, the page's fields the old.

const COOKIE = /(?:^|;\s*)(?:__Host-|__Secure-)?csrftoken=([^;]+)/;

/** The token as it is now; the page's own where scripts can't read the cookie. */
export function csrfToken() {
  return document.cookie.match(COOKIE)?.[1] ?? document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
}
