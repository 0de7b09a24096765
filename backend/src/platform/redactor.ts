/** What stands in a log where a secret would have been. */
const HIDDEN = "[hidden]";

/** Names of fields whose value is never written. */
const SECRET_FIELD =
  /pass(word|wd|phrase)?$|secret$|token$|authorization|cookie|verifier|private_?key/i;

/**
 * Shapes of secrets in running text: generated secrets (43 characters of base64url, which a
 * fingerprint behind `SHA256:` also has), personal tokens, whose secret has a prefix, those of sessions
 * (JWTs, also without their end), pairing tokens, and what follows well-known words.
 */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${HIDDEN}`],
  [/\b(access_token|token|password|secret)=[^\s&"']+/gi, `$1=${HIDDEN}`],
  [/(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,2}/g, HIDDEN],
  [/(?<![A-Za-z0-9])[A-Za-z0-9]{8}_[A-Za-z0-9_-]{43,}/g, HIDDEN],
  [/(?<!SHA256:|[A-Za-z0-9_+-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_+=-])/g, HIDDEN],
  [/(?<![0-9A-Za-z])[0-9A-HJKMNP-TV-Z]{26}(?![0-9A-Za-z])/g, HIDDEN],
];

/** `text` without anything shaped like a secret. */
export function withoutShapes(text: string): string {
  let clean = text;
  for (const [shape, replacement] of SHAPES) clean = clean.replaceAll(shape, replacement);
  return clean;
}

/** Takes secrets out of everything that is about to be written. */
export class Redactor {
  readonly #known = new Set<string>();

  /** From now on `value` is replaced wherever it occurs. For the few long-lived secrets. */
  hide(value: string): void {
    if (value.length >= 8) this.#known.add(value);
  }

  /** `text` without anything known to be, or shaped like, a secret. */
  text(text: string): string {
    let clean = text;
    for (const value of this.#known) clean = clean.replaceAll(value, HIDDEN);
    return withoutShapes(clean);
  }

  /** The value of the field `name`, fit to be written. */
  field<T extends string | number | boolean>(name: string, value: T): T | string {
    if (SECRET_FIELD.test(name)) return HIDDEN;
    return typeof value === "string" ? this.text(value) : value;
  }
}
