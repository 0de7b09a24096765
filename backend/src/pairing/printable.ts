import { beginningOf } from "@rport/protocol/ownText";

const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]+/gu;

/** Text from outside as one printable line of at most so many characters. */
export function printable(text: string, maxLength: number): string {
  return beginningOf(text, maxLength).replace(UNPRINTABLE, " ").toWellFormed();
}
