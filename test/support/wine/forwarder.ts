/** Where the image is loaded, as if that mattered to a file without code. */
const IMAGE_BASE = 0x1_8000_0000n;
const FILE_ALIGN = 0x200;
const SECTION = 0x1000;
const HEADERS = 0x200;
const X64 = 0x8664;
/** EXECUTABLE_IMAGE, LARGE_ADDRESS_AWARE, DLL. */
const CHARACTERISTICS = 0x2022;
/** Initialised data that can be read. */
const READABLE_DATA = 0x4000_0040;

/**
 * A library of Windows that has one function, which is another library's: `forwarder("a.dll", "F",
 * "b.G")` exports `F` as what `b.dll` calls `G`. There is no code in it.
 */
export function forwarder(library: string, name: string, target: string): Buffer {
  const image = Buffer.alloc(HEADERS + FILE_ALIGN);
  const size = writeExports(image.subarray(HEADERS), { library, name, target });
  writeHeaders(image, size);
  return image;
}

/** IMAGE_EXPORT_DIRECTORY, its three tables of one entry each, and the texts. */
function writeExports(
  section: Buffer,
  { library, name, target }: { library: string; name: string; target: string },
): number {
  const functions = 40;
  const names = functions + 4;
  const ordinals = names + 4;
  let end = ordinals + 4;
  const text = (value: string): number => {
    const at = SECTION + end;
    end += section.write(`${value}\0`, end, "latin1");
    return at;
  };
  section.writeUInt32LE(text(library), 12);
  section.writeUInt32LE(1, 16);
  section.writeUInt32LE(1, 20);
  section.writeUInt32LE(1, 24);
  section.writeUInt32LE(SECTION + functions, 28);
  section.writeUInt32LE(SECTION + names, 32);
  section.writeUInt32LE(SECTION + ordinals, 36);
  // An address inside the export directory is a forwarder.
  section.writeUInt32LE(text(target), functions);
  section.writeUInt32LE(text(name), names);
  return end;
}

function writeHeaders(image: Buffer, exportsSize: number): void {
  image.write("MZ", 0, "latin1");
  const pe = 0x40;
  image.writeUInt32LE(pe, 0x3c);
  image.write("PE\0\0", pe, "latin1");
  const file = pe + 4;
  image.writeUInt16LE(X64, file);
  image.writeUInt16LE(1, file + 2);
  image.writeUInt16LE(0xf0, file + 16);
  image.writeUInt16LE(CHARACTERISTICS, file + 18);
  const optional = file + 20;
  image.writeUInt16LE(0x20b, optional);
  image.writeUInt32LE(FILE_ALIGN, optional + 8);
  image.writeBigUInt64LE(IMAGE_BASE, optional + 24);
  image.writeUInt32LE(SECTION, optional + 32);
  image.writeUInt32LE(FILE_ALIGN, optional + 36);
  image.writeUInt16LE(6, optional + 40);
  image.writeUInt16LE(6, optional + 48);
  image.writeUInt32LE(2 * SECTION, optional + 56);
  image.writeUInt32LE(HEADERS, optional + 60);
  image.writeUInt16LE(3, optional + 68);
  for (const [at, stack] of [0x10_0000n, 0x1000n, 0x10_0000n, 0x1000n].entries()) {
    image.writeBigUInt64LE(stack, optional + 72 + 8 * at);
  }
  image.writeUInt32LE(16, optional + 108);
  image.writeUInt32LE(SECTION, optional + 112);
  image.writeUInt32LE(exportsSize, optional + 116);
  const section = optional + 0xf0;
  image.write(".rdata", section, "latin1");
  image.writeUInt32LE(exportsSize, section + 8);
  image.writeUInt32LE(SECTION, section + 12);
  image.writeUInt32LE(FILE_ALIGN, section + 16);
  image.writeUInt32LE(HEADERS, section + 20);
  image.writeUInt32LE(READABLE_DATA, section + 36);
}
