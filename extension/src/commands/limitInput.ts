import { isIP } from "node:net";
import { t } from "@vscode/l10n";

/** What somebody typed, or why it cannot be used; `null` takes the limit away. */
export type Typed<T> =
  | { readonly value: T; readonly why?: undefined }
  | { readonly value?: undefined; readonly why: string };

/** As many as the server takes. */
const COUNT_MAX = 100_000;
const CIDRS_MAX = 64;
const TUNNELS_MAX = 65_536;

/** A number of clients or joins; `ofNothing` says what counts when nothing is typed. */
export function parseCount(text: string, ofNothing: string): Typed<number | null> {
  const typed = text.trim();
  if (typed === "") return { value: null };
  const value = /^\d{1,6}$/.test(typed) ? Number(typed) : 0;
  return value >= 1 && value <= COUNT_MAX
    ? { value }
    : { why: t("Type a whole number from 1 to {0}, or nothing for {1}.", COUNT_MAX, ofNothing) };
}

/** A number of tunnels, also none; nothing: as many as usual. */
export function parseTunnels(text: string): Typed<number | null> {
  const typed = text.trim();
  if (typed === "") return { value: null };
  const value = /^\d{1,5}$/.test(typed) ? Number(typed) : TUNNELS_MAX + 1;
  return value <= TUNNELS_MAX
    ? { value }
    : {
        why: t("Type a whole number from 0 to {0}, or nothing for as many as usual.", TUNNELS_MAX),
      };
}

/** A date, or a date and time, in this computer's time zone, that is to come; nothing: no end. */
export function parseEnd(text: string, nowMs: number): Typed<string | null> {
  const typed = text.trim();
  if (typed === "") return { value: null };
  const match = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}))?$/.exec(typed);
  const at = new Date(match === null ? Number.NaN : `${match[1]}T${match[2] ?? "00:00"}`);
  if (Number.isNaN(at.getTime())) {
    return { why: t("Type a date such as 2030-01-31 or 2030-01-31 14:00, or nothing for no end.") };
  }
  return at.getTime() > nowMs ? { value: at.toISOString() } : { why: t("That is over already.") };
}

/** Networks, separated by commas or spaces; nothing: from anywhere. */
export function parseNetworks(text: string): Typed<string[]> {
  const value = text.split(/[\s,]+/).filter((part) => part !== "");
  const wrong = value.find((part) => !isNetwork(part));
  if (wrong !== undefined) {
    return { why: t('"{0}" is no network: write it as 192.0.2.0/24 or 2001:db8::/32.', wrong) };
  }
  return value.length <= CIDRS_MAX
    ? { value }
    : { why: t("At most {0} networks are possible.", CIDRS_MAX) };
}

function isNetwork(text: string): boolean {
  const match = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(text);
  const family = isIP(match?.[1] ?? "");
  const longest = family === 4 ? 32 : 128;
  return family !== 0 && Number(match?.[2] ?? longest) <= longest;
}
