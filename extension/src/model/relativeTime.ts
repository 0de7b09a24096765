import { t } from "@vscode/l10n";
import { LOCALE } from "../support/locale.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** From this much on, a duration is told in the next larger unit. */
const HOURS_FROM_MS = 2 * HOUR_MS;
const DAYS_FROM_MS = 2 * DAY_MS;

/** A duration in its one fitting unit: `40 s`, `8 min`, `3 h`, `12 d`; negative ones count as 0. */
export function duration(ms: number): string {
  if (ms < MINUTE_MS) return t("{0} s", Math.max(0, Math.floor(ms / 1000)));
  if (ms < HOURS_FROM_MS) return t("{0} min", Math.floor(ms / MINUTE_MS));
  if (ms < DAYS_FROM_MS) return t("{0} h", Math.floor(ms / HOUR_MS));
  return t("{0} d", Math.floor(ms / DAY_MS));
}

/** How far two clocks are apart, to the minute: what was measured is some milliseconds more or less. */
export function apart(ms: number): string {
  return duration(Math.round(Math.abs(ms) / MINUTE_MS) * MINUTE_MS);
}

/** How long ago an instant (RFC 3339) was: `just now`, `8 min ago`. */
export function ago(time: string, nowMs: number): string {
  const ms = nowMs - Date.parse(time);
  return ms < MINUTE_MS ? t("just now") : t("{0} ago", duration(ms));
}

/** How long until an instant (RFC 3339): `in 8 min`, or `now`. */
export function until(time: string, nowMs: number): string {
  const ms = Date.parse(time) - nowMs;
  if (ms <= 0) return t("now");
  return ms < MINUTE_MS ? t("in less than a minute") : t("in {0}", duration(ms));
}

/** Day and time, `30 Nov, 14:02`, in the time zone of the editor. */
export function dateAndTime(ms: number): string {
  const day = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short" });
  return `${day.format(new Date(ms))}, ${timeOfDay(ms)}`;
}

/** The time of day of an instant of today, and of another day its date, too. */
export function timeOrDay(ms: number, nowMs: number): string {
  const isToday = new Date(ms).toDateString() === new Date(nowMs).toDateString();
  return isToday ? timeOfDay(ms) : dateAndTime(ms);
}

/** The time of day, `14:02`, in the time zone of the editor. */
export function timeOfDay(ms: number): string {
  const at = new Date(ms);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}`;
}
