import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ReadPiece } from "../../../../extension/src/terminals/playback/recordingPieces.ts";
import { saveRecording } from "../../../../extension/src/terminals/playback/saveRecording.ts";
import { UnfinishedFiles } from "../../../../extension/src/terminals/playback/unfinishedFiles.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";
import { FakeMemento } from "../memento.ts";

const KEY = "recordings.unfinished";
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
  const memento = new FakeMemento();
  const options = { signal: cancelling.signal, unfinished: new UnfinishedFiles(memento) };
  const saved = await saveRecording(path, pieces(), options).catch(String);
  expect(memento.get(KEY)).toEqual([]);
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

  it("leaves nothing behind for longer than to the next start where the editor is killed meanwhile", async () => {
    await using directory = await tempDirectory();
    const memento = new FakeMemento();
    const begun = Promise.withResolvers<void>();
    async function* pieces() {
      yield piece("first\n");
      begun.resolve();
      // as somebody who is killed: it goes no further
      await new Promise(() => {});
    }
    const { signal } = new AbortController();
    const unfinished = new UnfinishedFiles(memento);
    void saveRecording(join(directory.path, "one.cast"), pieces(), { signal, unfinished });
    await begun.promise;
    expect(await readdir(directory.path)).toEqual([
      expect.stringMatching(/^one\.cast\.[0-9a-f]{8}$/),
    ]);
    await new UnfinishedFiles(memento).removeLeft();
    expect(await readdir(directory.path)).toEqual([]);
    expect(memento.get(KEY)).toEqual([]);
  });

  it("removes at a start nothing that is not such a file", async () => {
    await using directory = await tempDirectory();
    const names = ["one.cast", "two.cast.01234567", "three.cast.01234567", "four.cast.01234567x"];
    const [one, two, three, four] = names.map((name) => join(directory.path, name));
    await Promise.all([one, four].map((path) => writeFile(String(path), "mine")));
    await symlink(String(one), String(two));
    await mkdir(String(three));
    const memento = new FakeMemento();
    await memento.update(KEY, [one, two, three, four]);
    await new UnfinishedFiles(memento).removeLeft();
    expect((await readdir(directory.path)).toSorted()).toEqual(names.toSorted());
    await memento.update(KEY, { not: "a list" });
    await new UnfinishedFiles(memento).removeLeft();
  });
});
