/** What stands in a log line instead of a secret. */
const REDACTED = "[redacted]";

/** Header values, query parameters and JSON fields that carry secrets by their name. */
const NAMED =
  /((?:authorization|bearer|basic|access_token|token|password|secret)["']?\s*[:= ]\s*["']?(?:bearer |basic )?)[^\s"',;&}]+/gi;

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

  /** The text without secrets. */
  clean(text: string): string {
    let cleaned = text;
    for (const secret of this.#secrets) cleaned = cleaned.replaceAll(secret, REDACTED);
    return cleaned.replaceAll(NAMED, `$1${REDACTED}`);
  }
}
