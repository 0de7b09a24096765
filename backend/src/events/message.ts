import type { SharedText } from "./sharedText.ts";

/** A message that is put together from shared texts when it is sent. */
export interface Message {
  /** Messages that differ in anything but their texts have different keys. */
  readonly key: string;
  readonly texts: readonly SharedText[];
  /** Its bytes, made anew. */
  encode(): Buffer;
}

/** A number that differs for different texts, in nearly every case. */
export function fingerprintOf(texts: readonly SharedText[]): number {
  let sum = texts.length;
  for (const { serial } of texts) sum = (sum * 31 + serial) | 0;
  return sum;
}

/** What the texts have together. */
export function bytesOf(texts: readonly SharedText[]): number {
  return texts.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

/** Whether two have the same texts in the same order. */
export function hasSameTexts(one: readonly SharedText[], other: readonly SharedText[]): boolean {
  return one.length === other.length && one.every((text, n) => text === other[n]);
}
