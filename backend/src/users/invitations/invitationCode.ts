import { createHash } from "node:crypto";
import { bytes } from "../../platform/random.ts";

/** Crockford's letters: none that people take for another one, or read as a word. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/** Sixty bits: with the limits on guessing, nobody meets one while it works. */
const LENGTH = 12;
const GROUP = /.{4}/g;
const LOOKS_LIKE: Readonly<Record<string, string>> = { O: "0", I: "1", L: "1" };

/** A new code as people read and type it, such as `4TQ7-0KXM-9ZBC`. */
export function newInvitationCode(): string {
  const letters = [...bytes(LENGTH)].map((byte) => ALPHABET.charAt(byte % ALPHABET.length));
  return letters.join("").match(GROUP)?.join("-") ?? "";
}

/**
 * What a typed code is looked up by; undefined when it cannot be one. Case, spaces and dashes do
 * not matter, and letters that look alike are the same.
 */
export function codeDigest(typed: string): string | undefined {
  const letters = typed
    .toUpperCase()
    .replaceAll(/[\s\p{Pd}_]/gu, "")
    .replaceAll(/[OIL]/g, (letter) => LOOKS_LIKE[letter] ?? letter);
  const isCode = letters.length === LENGTH && [...letters].every((one) => ALPHABET.includes(one));
  return isCode ? createHash("sha256").update(letters).digest("base64") : undefined;
}
