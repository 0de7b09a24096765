import { crc32, deflateSync } from "node:zlib";
import { encode } from "uqr";

/** Pixels of one square. */
const SCALE = 6;
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** One bit per pixel, in shades of grey; no further choices. */
const FORMAT = [1, 0, 0, 0, 0] as const;
/** Eight white pixels. */
const WHITE = 0xff;
/** A line is written as it is, not as a difference. */
const PLAIN = 0;

/** A QR code of the text, as a PNG. */
export function qrPng(text: string): Buffer {
  const { data, size } = encode(text, { border: 4 });
  const side = size * SCALE;
  const rows = data.flatMap((row) => Array<Buffer>(SCALE).fill(rowOf(row)));
  const header = Buffer.alloc(8);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", Buffer.concat([header, Buffer.from(FORMAT)])),
    chunk("IDAT", deflateSync(Buffer.concat(rows))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** A line of pixels behind the byte that says how it is written. */
function rowOf(squares: readonly boolean[]): Buffer {
  const pixels = squares.flatMap((isDark) => Array.from({ length: SCALE }, () => isDark));
  const bytes = Array.from({ length: Math.ceil(pixels.length / 8) }, (_, at) =>
    pixels
      .slice(at * 8, at * 8 + 8)
      .reduce((byte, isDark, bit) => (isDark ? byte & ~(0x80 >> bit) : byte), WHITE),
  );
  return Buffer.from([PLAIN, ...bytes]);
}

function chunk(type: string, body: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, "latin1"), body]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, check]);
}
