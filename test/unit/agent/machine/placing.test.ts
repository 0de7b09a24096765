import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmod,
  chown,
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { AccessRights } from "../../../../agent/src/machine/accessRights.ts";
import {
  ensureDirectory,
  giveFile,
  missingDirectories,
  placeFile,
} from "../../../../agent/src/machine/placing.ts";
import { POSIX_RIGHTS } from "../../../../agent/src/machine/posix/rights.ts";
import { Undo } from "../../../../agent/src/machine/undo.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
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

describe("a directory that was given to another account", () => {
  const access = {
    mode: 0o700,
    owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    owns: (name: string) => name.startsWith("ours"),
  };

  test("goes with what has a name of ours", async () => {
    await using directory = await tempDirectory();
    const precious = join(directory.path, "precious");
    await writeFile(precious, "precious");
    const path = join(directory.path, "a", "given");
    const undo = new Undo();
    await ensureDirectory(path, access, changing(undo));
    await writeFile(join(path, "ours"), "");
    await symlink(precious, join(path, "ours.link"));
    await link(precious, join(path, "ours.second"));
    expect(await undo.run()).toEqual([]);
    expect(await readdir(directory.path)).toEqual(["precious"]);
    expect(await readFile(precious, "utf8")).toBe("precious");
  });

  test("stays with all that the account has put there, for its owner alone", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "given");
    const done: string[] = [];
    const undo = new Undo();
    undo.add("the rest", async () => void done.push("the rest"));
    await ensureDirectory(path, access, changing(undo));
    // Also under a name of ours, where a file was expected.
    for (const name of ["theirs", "ours.folder"]) {
      await mkdir(join(path, name));
      await writeFile(join(path, name, "precious"), "");
    }
    for (const name of ["note", "ours"]) await writeFile(join(path, name), "");
    await chmod(path, 0o777);
    const [trouble, ...more] = await undo.run();
    expect(trouble).toBe(
      `remove ${path}: 3 names in it are not this installation's, so it stays, for its owner alone`,
    );
    expect([more, done]).toEqual([[], ["the rest"]]);
    const kept = ["note", "ours.folder", "ours.folder/precious", "theirs", "theirs/precious"];
    expect((await readdir(path, { recursive: true })).sort()).toEqual(kept);
    expect(await modeOf(path)).toBe("700");
  });

  test.each(["folder", "link"])("is not taken for another %s in its place", async (kind) => {
    await using directory = await tempDirectory();
    const [path, aside, other] = ["given", "aside", "other"].map((name) =>
      join(directory.path, name),
    ) as [string, string, string];
    const undo = new Undo();
    await ensureDirectory(path, access, changing(undo));
    await rename(path, aside);
    await mkdir(other);
    await chmod(other, 0o755);
    await writeFile(join(other, "ours"), "");
    await (kind === "link" ? symlink(other, path) : rename(other, path));
    expect(await undo.run()).toHaveLength(1);
    expect(await readdir(path)).toEqual(["ours"]);
    expect(await modeOf(path)).toBe("755");
  });

  test("is taken back before anybody looks into it", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "given");
    const undo = new Undo();
    const rights: AccessRights = {
      ...POSIX_RIGHTS,
      // What the account does in the last moment in which it can.
      takeOver: async (folder, made) => {
        await mkdir(join(path, "ours"));
        await writeFile(join(path, "ours", "precious"), "");
        await POSIX_RIGHTS.takeOver(folder, made);
      },
    };
    await ensureDirectory(path, access, { undo, rights });
    await writeFile(join(path, "ours.too"), "");
    expect(await undo.run()).toHaveLength(1);
    expect(await readdir(path, { recursive: true })).toEqual(["ours", "ours/precious"]);
  });
});

/**
 * As another account: fills its folder, says so, and when the first of that is removed puts links to another
 * folder in the place of the rest.
 */
const EXCHANGE = `
my ($folder, $victim) = @ARGV;
mkdir "$folder/ours$_" for 1 .. 400;
$| = 1;
print "filled\\n";
for (;;) {
  exit unless -w $folder;
  opendir my $entries, $folder;
  last if (() = readdir $entries) < 402;
}
for (1 .. 400) { symlink $victim, "$folder/ours$_" if rmdir "$folder/ours$_" }
`;

test.skipIf(!isRoot)("root removes nothing for an account that exchanges its folders", async () => {
  await using directory = await tempDirectory();
  await chmod(directory.path, 0o755);
  const [path, victim] = ["given", "victim"].map((name) => join(directory.path, name)) as [
    string,
    string,
  ];
  await mkdir(victim);
  await chmod(victim, 0o755);
  await writeFile(join(victim, "precious"), "");
  const owner = { uid: NOBODY, gid: NOBODY };
  const undo = new Undo();
  const owns = (name: string) => name.startsWith("ours");
  await ensureDirectory(path, { mode: 0o700, owner, owns }, changing(undo));
  const as = { ...owner, cwd: "/" };
  const account = spawn("perl", ["-e", EXCHANGE, path, victim], as);
  const ended = once(account, "exit");
  await once(account.stdout, "data");
  const troubles = await undo.run();
  await ended;
  expect(await readdir(victim)).toEqual(["precious"]);
  expect(troubles).toHaveLength(1);
  expect(await readdir(path)).toHaveLength(400);
  expect(await stat(path)).toMatchObject({ uid: 0, mode: 0o40700 });
});

describe("giving a file to its owner", () => {
  test.skipIf(!isRoot)("gives back that file, and none that has its name since", async () => {
    await using directory = await tempDirectory();
    const [path, precious] = ["given", "precious"].map((name) => join(directory.path, name)) as [
      string,
      string,
    ];
    const owner = { uid: NOBODY, gid: NOBODY };
    for (const file of [path, precious]) await writeFile(file, "", { mode: 0o600 });
    await chown(path, NOBODY - 1, NOBODY - 1);
    const undo = new Undo();
    await giveFile(path, { mode: 0o600, owner }, changing(undo));
    await rename(path, join(directory.path, "aside"));
    await link(precious, path);
    expect(await undo.run()).toEqual([
      `restore the access to ${path}: ${path} is another one by now`,
    ]);
    expect((await stat(precious)).uid).toBe(0);
    await rm(path);
    await rename(join(directory.path, "aside"), path);
    await chown(path, NOBODY - 1, NOBODY - 1);
    await giveFile(path, { mode: 0o600, owner }, changing(undo));
    expect((await stat(path)).uid).toBe(NOBODY);
    expect(await undo.run()).toEqual([]);
    expect((await stat(path)).uid).toBe(NOBODY - 1);
  });

  test.skipIf(!isRoot)(
    "gives back also the group alone, but not to a new file of its owner",
    async () => {
      await using directory = await tempDirectory();
      const path = join(directory.path, "given");
      await writeFile(path, "", { mode: 0o600 });
      await chown(path, NOBODY, NOBODY - 1);
      const owner = { uid: NOBODY, gid: NOBODY };
      const undo = new Undo();
      await giveFile(path, { mode: 0o600, owner }, changing(undo));
      expect((await stat(path)).gid).toBe(NOBODY);
      expect(await undo.run()).toEqual([]);
      expect(await stat(path)).toMatchObject({ uid: NOBODY, gid: NOBODY - 1 });
      await giveFile(path, { mode: 0o600, owner }, changing(undo));
      await writeFile(`${path}.new`, "");
      await chown(`${path}.new`, NOBODY, NOBODY);
      await rename(`${path}.new`, path);
      expect(await undo.run()).toEqual([]);
      expect(await stat(path)).toMatchObject({ uid: NOBODY, gid: NOBODY });
    },
  );

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
