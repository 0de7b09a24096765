import { mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ReadPiece } from "../../../../extension/src/terminals/playback/recordingPieces.ts";
import { saveRecording } from "../../../../extension/src/terminals/playback/saveRecording.ts";
import { UnfinishedFiles } from "../../../../extension/src/terminals/playback/unfinishedFiles.ts";
import { FakeClock } from "../../../support/clock.ts";
import { eventually } from "../../../support/eventually.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";
import { FakeMemento } from "../memento.ts";
import { silentLog } from "../serverFixture.ts";

const KEY = "recordings.unfinished";
const MINUTE_MS = 60_000;
const piece = (text: string): ReadPiece => ({ text, state: "whole", isLast: false });

/** The files of a window that has this in mind. */
function filesOf(memento: FakeMemento, clock = new FakeClock(Date.now()), log = silentLog) {
  return new UnfinishedFiles({ memento, clock, log });
}

/** Somebody wrote it for the last time before so long. */
async function writtenBefore(path: string, ms: number): Promise<void> {
  const at = new Date(Date.now() - ms);
  await utimes(path, at, at);
}

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
  const options = { signal: cancelling.signal, unfinished: filesOf(memento) };
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
    const unfinished = filesOf(memento);
    void saveRecording(join(directory.path, "one.cast"), pieces(), { signal, unfinished });
    await begun.promise;
    const [left = ""] = await readdir(directory.path);
    expect(left).toMatch(/^one\.cast\.[0-9a-f]{8}$/);
    await writtenBefore(join(directory.path, left), MINUTE_MS);
    await filesOf(memento).removeLeft();
    expect(await readdir(directory.path)).toEqual([]);
    expect(memento.get(KEY)).toEqual([]);
  });

  it("leaves alone what another window writes that has the same folder open, and removes it once nobody does", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "one.cast.01234567");
    await writeFile(path, "first\n");
    await writtenBefore(path, MINUTE_MS / 2);
    const memento = new FakeMemento();
    await memento.update(KEY, [path]);
    const clock = new FakeClock(Date.now());
    await filesOf(memento, clock).removeLeft();
    expect(await readdir(directory.path)).toHaveLength(1);
    expect(memento.get(KEY)).toEqual([path]);
    clock.advance(MINUTE_MS);
    await eventually(() => expect(memento.get(KEY)).toEqual([]));
    expect(await readdir(directory.path)).toEqual([]);
    expect(clock.timers).toBe(0);
  });

  it("keeps in mind what two windows write at once", async () => {
    const memento = new FakeMemento();
    const [one, other] = [filesOf(memento), filesOf(memento)];
    await one.begin("one");
    await other.begin("other");
    await one.end("one");
    expect(memento.get(KEY)).toEqual(["other"]);
  });

  it("is saved although the editor cannot forget that it was not, which is logged", async () => {
    await using directory = await tempDirectory();
    const memento = new FakeMemento();
    const warned: string[] = [];
    const log = { ...silentLog, warn: (message: string) => warned.push(message) };
    const unfinished = filesOf(memento, new FakeClock(), log);
    async function* pieces() {
      yield piece("first\n");
      memento.update = () => Promise.reject(new Error("No room."));
    }
    const { signal } = new AbortController();
    const path = join(directory.path, "one.cast");
    expect(await saveRecording(path, pieces(), { signal, unfinished })).toBe("whole");
    expect(warned).toHaveLength(1);
    expect(await readdir(directory.path)).toEqual(["one.cast"]);
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
    await filesOf(memento, new FakeClock(Date.now() + 2 * MINUTE_MS)).removeLeft();
    expect((await readdir(directory.path)).toSorted()).toEqual(names.toSorted());
    await memento.update(KEY, { not: "a list" });
    await filesOf(memento).removeLeft();
  });
});
