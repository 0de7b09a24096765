import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ReadPiece } from "../../../../extension/src/terminals/playback/recordingPieces.ts";
import { saveRecording } from "../../../../extension/src/terminals/playback/saveRecording.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const piece = (text: string): ReadPiece => ({ text, state: "whole", isLast: false });

/** A file that others read is saved over; `between` happens behind the first of two pieces. */
async function saveOver(between: (cancelling: AbortController) => void) {
  await using directory = await tempDirectory();
  const path = join(directory.path, "one.cast");
  await writeFile(path, "of before", { mode: 0o644 });
  const cancelling = new AbortController();
  async function* pieces() {
    yield piece("first\n");
    between(cancelling);
    yield piece("second\n");
  }
  const saved = await saveRecording(path, pieces(), cancelling.signal).catch(String);
  return {
    saved,
    text: await readFile(path, "utf8"),
    mode: (await stat(path)).mode & 0o777,
    files: await readdir(directory.path),
  };
}

describe("S-66 a recording that is saved", () => {
  it("is read by its owner alone, also where a file was that others read", async () => {
    expect(await saveOver(() => {})).toEqual({
      saved: "whole",
      text: "first\nsecond\n",
      mode: 0o600,
      files: ["one.cast"],
    });
  });

  it("leaves what was there when somebody cancels that", async () => {
    const { saved, text, files } = await saveOver((cancelling) => cancelling.abort());
    expect([saved, text, files]).toEqual([undefined, "of before", ["one.cast"]]);
  });

  it("leaves what was there when it cannot be read to its end", async () => {
    const { saved, text, files } = await saveOver(() => {
      throw new Error("The server is gone.");
    });
    expect([saved, text, files]).toEqual(["Error: The server is gone.", "of before", ["one.cast"]]);
  });
});
