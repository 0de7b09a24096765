/** Milliseconds per unit of Go's `time.ParseDuration`. */
const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};
const PART = /^([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)/;
/** Nanoseconds per millisecond. */
const NS_PER_MS = 1_000_000;
/** 100 years; a longer one is a mistake and would overflow Go's 64-bit nanoseconds soon after. */
const MAX_MS = 100 * 365 * 24 * 3_600_000;

/**
 * Milliseconds of a Go duration such as `25s`, `1h30m` or `0`; a number alone is nanoseconds, as
 * RPort reads it. Undefined when it is neither, negative, or longer than 100 years.
 */
export function parseDuration(written: string | number): number | undefined {
  const ms = typeof written === "number" ? written / NS_PER_MS : parseText(written);
  return ms !== undefined && ms >= 0 && ms <= MAX_MS ? ms : undefined;
}

/** Whole nanoseconds, the form in which Go's JSON carries a duration. */
export function toNanoseconds(ms: number): number {
  return Math.round(ms) * NS_PER_MS;
}

function parseText(written: string): number | undefined {
  let rest = written.trim().replace(/^\+/, "");
  if (rest === "0") return 0;
  if (/^[0-9]+$/.test(rest)) return Number(rest) / NS_PER_MS;
  if (rest === "") return undefined;
  let total = 0;
  while (rest !== "") {
    const [whole, amount, unit] = PART.exec(rest) ?? [];
    if (whole === undefined || unit === undefined) return undefined;
    total += Number(amount) * (UNIT_MS[unit] ?? 0);
    rest = rest.slice(whole.length);
  }
  return total;
}
