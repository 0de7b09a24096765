/** Universal tags of ASN.1; those of constructed values have the bit 0x20. */
const TAGS = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** UTCTime has two digits for the year, and means 1950 to 2049. */
const UTC_TIME_BEFORE = 2_050;

/** A value in DER: its tag, its length, its bytes. */
export function tagged(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
}

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tagged(TAGS.sequence, ...parts);
}

export function setOf(...parts: readonly Uint8Array[]): Buffer {
  return tagged(TAGS.set, ...parts);
}

/** A number that is not negative, from its bytes, the most significant first. */
export function integer(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const least = first === -1 ? new Uint8Array(1) : bytes.subarray(first);
  // With the highest bit set it would be negative.
  const sign = (least[0] ?? 0) >= 0x80 ? [new Uint8Array(1)] : [];
  return tagged(TAGS.integer, ...sign, least);
}

export function bool(value: boolean): Buffer {
  return tagged(TAGS.boolean, Buffer.from([value ? 0xff : 0]));
}

/** All bits of the bytes but the last `unused`. */
export function bitString(bytes: Uint8Array, unused = 0): Buffer {
  return tagged(TAGS.bitString, Buffer.from([unused]), bytes);
}

export function octetString(bytes: Uint8Array): Buffer {
  return tagged(TAGS.octetString, bytes);
}

export function utf8(text: string): Buffer {
  return tagged(TAGS.utf8, Buffer.from(text));
}

/** An object identifier, such as `2.5.4.3`. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return tagged(TAGS.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** A moment, to the second, as certificates write it. */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]|\..*/g, "");
  if (date.getUTCFullYear() >= UTC_TIME_BEFORE) {
    return tagged(TAGS.generalizedTime, Buffer.from(`${digits}Z`));
  }
  return tagged(TAGS.utcTime, Buffer.from(`${digits.slice(2)}Z`));
}

/** Seven bits in each byte, and the highest one in all but the last. */
function base128(value: number): number[] {
  const low = value & 0x7f;
  const high = Math.floor(value / 128);
  return high === 0 ? [low] : [...base128(high).map((byte) => byte | 0x80), low];
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}
