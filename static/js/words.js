// Numbers and codes in the page's language.

const language = document.documentElement.lang;
const tables = {};

/** What the page calls the stage or unit `name`. */
export function words(table, name) {
  tables[table] ??= JSON.parse(document.getElementById(`${table}-words`).textContent);
  return tables[table][name] ?? name;
}

export function number(value, digits = 0) {
  return value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Seconds as a person says them, by their two largest units. */
export function left(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [
    [Math.floor(whole / 3600), "hour"],
    [Math.floor((whole % 3600) / 60), "minute"],
    [whole % 60, "second"],
  ];
  const first = Math.max(0, parts.findIndex(([count]) => count > 0));
  const shown = whole ? parts.slice(first, first + 2) : parts.slice(2);
  return shown.map(([count, unit]) => count.toLocaleString(language, { style: "unit", unit, unitDisplay: "short" })).join(" ");
}
