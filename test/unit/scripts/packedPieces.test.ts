import { randomBytes } from "node:crypto";
import { readdir, utimes } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzipSync, gzip } from "node:zlib";
import { describe, expect, it } from "vitest";
import { tempDirectory } from "../../support/tempDirectory.ts";

/** Scripts have no types: they run before anything is installed. */
const { cutsOf, forgetOldPieces, packInPieces, through } = await import(
  new URL("../../../scripts/lib/agent/pieces.mjs", import.meta.url).href
);

const MB = 1_048_576;

/** Packs by gzip and counts how often. */
function countingGzip() {
  const packed: number[] = [];
  const pack = (bytes: Buffer) => {
    packed.push(bytes.length);
    return promisify(gzip)(bytes);
  };
  return { name: "gzip", pack, packed };
}

describe("packing in pieces", () => {
  it("cuts where a new build begins and ends to differ", () => {
    expect(cutsOf(10, 0)).toEqual([0, 10]);
    expect(cutsOf(3 * MB, 2 * MB)).toEqual([0, 65_536, 2 * MB, 3 * MB]);
    expect(cutsOf(100 * MB, 90 * MB)).toHaveLength(5);
  });

  it("gives a file that unpacks to the same bytes, and packs again only what is new", async () => {
    await using directory = await tempDirectory();
    const options = { constant: 300_000, folder: join(directory.path, "pieces") };
    const first = randomBytes(400_000);
    const encoder = countingGzip();
    expect(gunzipSync(await packInPieces(encoder, first, options))).toEqual(first);
    expect(encoder.packed).toHaveLength(3);
    const second = Buffer.from(first);
    second.writeUInt8(second.readUInt8(399_999) ^ 1, 399_999);
    expect(gunzipSync(await packInPieces(encoder, second, options))).toEqual(second);
    expect(encoder.packed.slice(3)).toEqual([100_000]);
  });

  it("throws away what was not needed for weeks", async () => {
    await using directory = await tempDirectory();
    const folder = directory.path;
    await packInPieces(countingGzip(), Buffer.from("a"), { folder });
    const [old = ""] = await readdir(folder);
    await packInPieces(countingGzip(), Buffer.from("b"), { folder });
    await utimes(join(folder, old), 0, 0);
    forgetOldPieces(folder);
    expect(await readdir(folder)).toHaveLength(1);
    expect(await readdir(folder)).not.toContain(old);
  });

  it("fails when the program that packs fails", async () => {
    await expect(through("false", [], Buffer.alloc(MB))).rejects.toThrow("false ended with 1");
    await expect(through("no-such-program", [], Buffer.of(1))).rejects.toThrow("no-such-program");
  });
});
