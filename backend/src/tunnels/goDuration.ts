/** Nanoseconds per unit, in the spellings Go's `time.ParseDuration` takes. */
const UNIT_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3_600e9,
};

const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;
/** No duration anybody means is longer; keeps the loop short for hostile texts. */
const LONGEST_TEXT = 30;

/**
 * Nanoseconds of a duration as Go writes it (`1h30m`, `1.5s`, `0`); undefined for anything else,
 * negative ones included.
 */
export function parseGoDuration(text: string): number | undefined {
  if (text === "0") return 0;
  if (text === "" || text.length > LONGEST_TEXT) return undefined;
  let totalNs = 0;
  let position = 0;
  while (position < text.length) {
    PART.lastIndex = position;
    const match = PART.exec(text);
    if (match === null) return undefined;
    const [whole, amount = "", unit = ""] = match;
    totalNs += Number(amount) * (UNIT_NS[unit] ?? 0);
    position += whole.length;
  }
  return Math.round(totalNs);
}
