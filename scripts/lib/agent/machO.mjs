// Reads what is needed of a program for macOS: one architecture, 64 bits.
const MAGIC_64 = 0xfeedfacf;
const HEADER_BYTES = 32;
const SEGMENT_64 = 0x19;
const CODE_SIGNATURE = 0x1d;
const NAME_BYTES = 16;

/** The number of a CPU of Apple's own in the header of a program. */
const ARM_64 = 0x0100000c;

function* commands(bytes) {
  const count = bytes.readUInt32LE(16);
  let at = HEADER_BYTES;
  for (let n = 0; n < count; n += 1) {
    yield { at, kind: bytes.readUInt32LE(at) };
    at += bytes.readUInt32LE(at + 4);
  }
}

const nameAt = (bytes, at) => bytes.toString("latin1", at, at + NAME_BYTES).replace(/\0.*$/s, "");

function segment(bytes, name) {
  const found = [...commands(bytes)].find(
    ({ at, kind }) => kind === SEGMENT_64 && nameAt(bytes, at + 8) === name,
  );
  if (found === undefined) throw new Error(`the program has no segment ${name}`);
  return found.at;
}

/**
 * Where the parts are that a signature is made from and put into; offsets in the file.
 *
 * @returns {{ isArm: boolean, linkedit: number, signature: number, text: { offset: bigint, size: bigint } }}
 *   `linkedit` and `signature` are of the load commands; throws when bytes are no such program, or one
 *   without a signature to replace
 */
export function readMachO(bytes) {
  if (bytes.readUInt32LE(0) !== MAGIC_64) throw new Error("this is no program for macOS");
  const signature = [...commands(bytes)].find(({ kind }) => kind === CODE_SIGNATURE)?.at;
  if (signature === undefined) throw new Error("the program has no signature to replace");
  const text = segment(bytes, "__TEXT");
  return {
    isArm: bytes.readUInt32LE(4) === ARM_64,
    linkedit: segment(bytes, "__LINKEDIT"),
    signature,
    text: { offset: bytes.readBigUInt64LE(text + 40), size: bytes.readBigUInt64LE(text + 48) },
  };
}
