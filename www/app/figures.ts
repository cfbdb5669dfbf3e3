/**
 * Writes amounts, speeds, shares and times as the reader does, in the page's language. Knows no
 * torrent.
 */

const BYTE_UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Longest time that is worth telling; beyond it nobody knows. */
const TIME_MAX = 30 * DAY;

/** The reader's kind of the page's language: the sentences around the figures are English. */
const LOCALE = navigator.languages.find((each) => /^en\b/.test(each)) ?? "en";

const counts = new Intl.NumberFormat(LOCALE);
const shares = new Intl.NumberFormat(LOCALE, { style: "percent", maximumFractionDigits: 0 });
const lists = new Intl.ListFormat(LOCALE, { type: "conjunction" });
const plurals = new Intl.PluralRules(LOCALE);

function unit(value: number, name: string, digits: number, display: "short" | "long"): string {
  const format = { style: "unit", unit: name, unitDisplay: display } as const;
  return new Intl.NumberFormat(LOCALE, { ...format, maximumFractionDigits: digits })
    .format(value);
}

/** Writes an amount of bytes: `3.4 MB`. */
export function bytes(amount: number): string {
  let rest = Math.max(0, amount);
  let step = 0;
  while (rest >= 999.5 && step < BYTE_UNITS.length - 1) {
    rest /= 1000;
    step += 1;
  }
  const digits = step > 0 && rest < 99.95 ? 1 : 0;
  return unit(rest, BYTE_UNITS[step] ?? "byte", digits, step === 0 ? "long" : "short");
}

/** Writes bytes a second: `3.4 MB/s`. */
export function speed(bytesPerSecond: number): string {
  return `${bytesPerSecond < 1 ? unit(0, "kilobyte", 0, "short") : bytes(bytesPerSecond)}/s`;
}

/** Writes a share of one as a percentage, and never 100 before it is all. */
export function share(part: number): string {
  const shown = part >= 1 ? 1 : Math.min(0.99, Math.max(0, part));
  return shares.format(shown);
}

/** Writes a whole number. */
export function count(amount: number): string {
  return counts.format(amount);
}

/** Writes a number of things: `1 person`, `4 people`. */
export function many(amount: number, one: string, other: string): string {
  return `${counts.format(amount)} ${plurals.select(amount) === "one" ? one : other}`;
}

/** Writes some names as a list: `a, b, and c`. */
export function list(names: string[]): string {
  return lists.format(names);
}

/** Writes a time to wait, rounded as a person would: `2 min`; `null` when it cannot be told. */
export function duration(seconds: number): string | null {
  if (!Number.isFinite(seconds) || seconds < 0 || seconds > TIME_MAX) return null;
  if (seconds < MINUTE) return unit(Math.max(1, Math.round(seconds)), "second", 0, "short");
  if (seconds < HOUR) return unit(Math.round(seconds / MINUTE), "minute", 0, "short");
  if (seconds < DAY) return unit(seconds / HOUR, "hour", 1, "short");
  return unit(Math.round(seconds / DAY), "day", 0, "short");
}
