import { spawnSync } from "node:child_process";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../../agent/src/config/loadConfig.ts";
import { giveFile } from "../../../../agent/src/machine/placing.ts";
import { POSIX_RIGHTS } from "../../../../agent/src/machine/posix/rights.ts";
import { Undo } from "../../../../agent/src/machine/undo.ts";
import { readEnd, readSmallFile } from "../../../../agent/src/platform/smallFile.ts";
import { readReceipt } from "../../../../agent/src/service/receipt.ts";
import { readState } from "../../../../agent/src/state/stateFile.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

/** What another account may put where it may write: nobody ever finishes reading it. */
const ENDLESS: Readonly<Record<string, (path: string) => unknown>> = {
  "a pipe that nobody writes into": (path) => spawnSync("mkfifo", [path]),
  "a link to a device without an end": (path) => symlink("/dev/zero", path),
};

describe.each(Object.entries(ENDLESS))("S-34: in the place of a file, %s", (_, put) => {
  it("is no configuration, no state, no receipt and no log, and keeps nobody waiting", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "planted");
    await put(path);
    await expect(loadConfig(path)).rejects.toThrow("it is no plain file");
    expect(await readState(path)).toBeUndefined();
    expect(await readReceipt(path)).toEqual({ kind: "foreign" });
    expect(await readEnd(path, 10)).toBe("");
  });
});

it("S-34: a pipe is not waited for by who gives it to its owner", async () => {
  await using directory = await tempDirectory();
  const path = join(directory.path, "planted");
  spawnSync("mkfifo", [path]);
  const giving = giveFile(path, { mode: 0o600 }, { undo: new Undo(), rights: POSIX_RIGHTS });
  await expect(giving).rejects.toThrow("is no plain file");
});

it("a small file is read as a whole, a larger one not at all, and of any the end", async () => {
  await using directory = await tempDirectory();
  const path = join(directory.path, "file");
  await writeFile(path, "0123456789");
  expect(await readSmallFile(path, 10)).toBe("0123456789");
  await expect(readSmallFile(path, 9)).rejects.toThrow("larger than 9 bytes");
  expect(await readEnd(path, 3)).toBe("789");
  expect(await readEnd(path, 30)).toBe("0123456789");
});
