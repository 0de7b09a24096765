import { chmod, link, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  ensureDirectory,
  giveFile,
  missingDirectories,
  placeFile,
} from "../../../../agent/src/machine/placing.ts";
import { POSIX_RIGHTS } from "../../../../agent/src/machine/posix/rights.ts";
import { Undo } from "../../../../agent/src/machine/undo.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const changing = (undo: Undo) => ({ undo, rights: POSIX_RIGHTS });
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe("placing a file", () => {
  test("writes a new one with its mode; an undo removes it", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "file");
    const undo = new Undo();
    await placeFile({ path, from: { text: "new" }, access: { mode: 0o640 } }, changing(undo));
    expect(await readFile(path, "utf8")).toBe("new");
    expect(await modeOf(path)).toBe("640");
    expect(await undo.run()).toEqual([]);
    expect(await readdir(directory.path)).toEqual([]);
  });

  test("replaces an old one; an undo brings it back with its mode", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "file");
    await writeFile(path, "old", { mode: 0o600 });
    const undo = new Undo();
    await placeFile({ path, from: { text: "new" }, access: { mode: 0o644 } }, changing(undo));
    expect(await readFile(path, "utf8")).toBe("new");
    expect(await undo.run()).toEqual([]);
    expect(await readFile(path, "utf8")).toBe("old");
    expect(await modeOf(path)).toBe("600");
    expect(await readdir(directory.path)).toEqual(["file"]);
  });

  test("keeps nothing of the old one once there is no way back", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "file");
    await writeFile(path, "old");
    const undo = new Undo();
    await placeFile({ path, from: { text: "new" }, access: { mode: 0o644 } }, changing(undo));
    await undo.forget();
    expect(await undo.run()).toEqual([]);
    expect(await readdir(directory.path)).toEqual(["file"]);
    expect(await readFile(path, "utf8")).toBe("new");
  });

  test("copes with what a killed run left", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "file");
    await writeFile(`${path}.new`, "half a fi");
    await writeFile(`${path}.previous`, "older");
    const undo = new Undo();
    await placeFile({ path, from: { text: "new" }, access: { mode: 0o644 } }, changing(undo));
    await undo.forget();
    expect(await readdir(directory.path)).toEqual(["file"]);
  });

  test("replaces a link instead of writing to what it points to", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "file");
    const precious = join(directory.path, "precious");
    await writeFile(precious, "precious");
    await symlink(precious, path);
    await symlink(precious, `${path}.new`);
    const undo = new Undo();
    await placeFile({ path, from: { text: "new" }, access: { mode: 0o644 } }, changing(undo));
    expect(await readFile(precious, "utf8")).toBe("precious");
    expect(await readFile(path, "utf8")).toBe("new");
    await undo.run();
    expect(await readFile(path, "utf8")).toBe("precious");
  });

  test("leaves the old one when the new one cannot be written", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "file");
    await writeFile(path, "old");
    const undo = new Undo();
    const from = { file: join(directory.path, "missing") };
    await expect(
      placeFile({ path, from, access: { mode: 0o644 } }, changing(undo)),
    ).rejects.toThrow();
    expect(await readFile(path, "utf8")).toBe("old");
    await undo.run();
    expect(await readdir(directory.path)).toEqual(["file"]);
  });
});

describe("making a directory", () => {
  test("makes those above it; an undo removes what it made and nothing else", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "a", "b", "c");
    expect(await missingDirectories(path)).toHaveLength(3);
    const undo = new Undo();
    await ensureDirectory(path, { mode: 0o700 }, changing(undo));
    expect(await modeOf(path)).toBe("700");
    expect(await modeOf(join(directory.path, "a"))).toBe("755");
    await writeFile(join(path, "left by the agent"), "");
    await undo.run();
    expect(await readdir(directory.path)).toEqual([]);
  });

  test("an undo gives one that was there its old access, and leaves what is in it", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "a");
    await mkdir(path);
    await chmod(path, 0o755);
    await writeFile(join(path, "precious"), "");
    const undo = new Undo();
    await ensureDirectory(path, { mode: 0o700 }, changing(undo));
    expect(await modeOf(path)).toBe("700");
    await undo.run();
    expect(await modeOf(path)).toBe("755");
    expect(await readdir(path)).toEqual(["precious"]);
  });
});

describe("giving a file to its owner", () => {
  test("refuses links and files with a second name", async () => {
    await using directory = await tempDirectory();
    const precious = join(directory.path, "precious");
    await writeFile(precious, "", { mode: 0o644 });
    await symlink(precious, join(directory.path, "soft"));
    await link(precious, join(directory.path, "hard"));
    for (const name of ["soft", "hard"]) {
      const path = join(directory.path, name);
      await expect(giveFile(path, { mode: 0o600 }, changing(new Undo()))).rejects.toThrow();
    }
    expect(await modeOf(precious)).toBe("644");
  });
});

test("an undo goes on when a step fails, and tells which", async () => {
  const done: string[] = [];
  const undo = new Undo();
  undo.add("first", async () => void done.push("first"));
  undo.add("second", () => Promise.reject(new Error("no")));
  undo.add("third", async () => void done.push("third"));
  expect(await undo.run()).toEqual(["second: no"]);
  expect(done).toEqual(["third", "first"]);
});
