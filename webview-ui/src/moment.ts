import type { Words } from "./words.ts";

/**
 * `14:32`, with the day in front unless it is today, in the editor's time zone. It is written in the language of the
 * words around it, which is the editor's: that of the browser or the system may be another one.
 */
export function moment(at: string, words: Words, nowMs = Date.now()): string {
  const date = new Date(at);
  const locale = words("locale");
  const time = date.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
  if (date.toDateString() === new Date(nowMs).toDateString()) return time;
  return `${date.toLocaleDateString(locale, { day: "numeric", month: "short" })}, ${time}`;
}
