import { link, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { keepFile } from "../../../../agent/src/platform/keepFile.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const noNames = async (): Promise<never> => {
  throw Object.assign(new Error("no second names here"), { code: "EPERM" });
};

test("keeps a file under a second name, and as a copy where there are no second names", async () => {
  await using directory = await tempDirectory();
  const path = join(directory.path, "file");
  await writeFile(path, "old", { mode: 0o640 });
  await keepFile(path, `${path}.a`);
  expect((await stat(`${path}.a`)).ino).toBe((await stat(path)).ino);
  await keepFile(path, `${path}.b`, { name: noNames });
  expect(await readFile(`${path}.b`, "utf8")).toBe("old");
  expect((await stat(`${path}.b`)).mode & 0o777).toBe(0o640);
  expect((await stat(`${path}.b`)).ino).not.toBe((await stat(path)).ino);
});

test.each([
  ["with second names", link],
  ["without second names", noNames],
])("removes a link that another account plants under the name, %s", async (_what, name) => {
  await using directory = await tempDirectory();
  const path = join(directory.path, "file");
  const victim = join(directory.path, "victim");
  await writeFile(path, "what the account wrote");
  await writeFile(victim, "the machine's own");
  await symlink(victim, `${path}.previous`);
  await keepFile(path, `${path}.previous`, { name });
  expect(await readFile(victim, "utf8")).toBe("the machine's own");
  expect(await readFile(`${path}.previous`, "utf8")).toBe("what the account wrote");
});

test("ends when a link is planted again and again, and has written to nothing", async () => {
  await using directory = await tempDirectory();
  const path = join(directory.path, "file");
  const kept = `${path}.previous`;
  const planted = join(directory.path, "planted");
  await writeFile(path, "what the account wrote");
  const plant = async (): Promise<void> => {
    await symlink(planted, kept);
    await link(path, kept);
  };
  await expect(keepFile(path, kept, { name: plant })).rejects.toThrow("again and again");
  expect(await readdir(directory.path)).toEqual(["file", "file.previous"]);
});
