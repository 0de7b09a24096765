/** Deeper than any message of ours by far. */
export const JSON_DEPTH_MAX = 20;

/** The bytes of JSON (RFC 8259, 2) that say how large it will be. */
const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Why JSON from outside should not be parsed: it has more members and items, or is nested deeper, than
 * it may. Each object of another shape costs the parser, and all that is made after it, far more than
 * its bytes. Undefined: it may be. Exact where the bytes are JSON; nobody asks where they are not.
 */
export function whyTooMuchJson(bytes: Buffer, maxMembers: number): "members" | "depth" | undefined {
  let [commas, containers, depth] = [0, 0, 0];
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) at = endOfText(bytes, at);
    if (byte === COMMA) commas += 1;
    const deeper = deeperBy(byte);
    depth += deeper;
    if (deeper > 0) containers += 1;
    // The outermost is no member.
    if (commas > maxMembers || containers > maxMembers + 1) return "members";
    if (depth > JSON_DEPTH_MAX) return "depth";
  }
  return undefined;
}

function deeperBy(byte: number | undefined): -1 | 0 | 1 {
  if (byte === OPEN_LIST || byte === OPEN_OBJECT) return 1;
  return byte === CLOSE_LIST || byte === CLOSE_OBJECT ? -1 : 0;
}

/** Where the text ends that begins there. */
function endOfText(bytes: Buffer, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}
