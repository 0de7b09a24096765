import { beginningOf } from "@rport/protocol/ownText";

/** What stands in a log line instead of a secret. */
const REDACTED = "[redacted]";

/**
 * Header values, query parameters and JSON fields that carry secrets by their name. Servers have a say in what is
 * looked at: every run of spaces can be divided in one way only, so that a long one costs no more than its length.
 */
const NAMED =
  /((?:authorization|bearer|basic|access_token|token|password|secret)["']?(?:\s*[:=]\s*|\s+)["']?(?:bearer |basic )?)[^\s"',;&}]+/gi;

/** Shorter values would blot out ordinary words. */
const MIN_SECRET_LENGTH = 8;

/**
 * Removes secrets from text that is about to be logged: those it was told, and those with a telling
 * name.
 */
export class Redactor {
  readonly #secrets = new Set<string>();

  /** From now on this value never passes. */
  add(secret: string): void {
    if (secret.length >= MIN_SECRET_LENGTH) this.#secrets.add(secret);
  }

  /**
   * The first `max` characters of a text, without the beginning of a secret that would be cut there: `clean` would
   * not know it any more. Says how much is missing.
   */
  cut(text: string, max: number): string {
    if (text.length <= max) return text;
    const beginning = text.slice(0, max);
    const halves = [...this.#secrets].map((secret) => overlap(beginning, secret));
    const kept = beginningOf(text, max - Math.max(0, ...halves));
    return `${kept}...+${text.length - kept.length}`;
  }

  /** The text without secrets. */
  clean(text: string): string {
    let cleaned = text;
    for (const secret of this.#secrets) cleaned = cleaned.replaceAll(secret, REDACTED);
    return cleaned.replaceAll(NAMED, `$1${REDACTED}`);
  }
}

/** How many characters at the end of a text are the beginning of another one. */
function overlap(text: string, other: string): number {
  for (let length = Math.min(text.length, other.length - 1); length > 0; length -= 1) {
    if (text.endsWith(other.slice(0, length))) return length;
  }
  return 0;
}
