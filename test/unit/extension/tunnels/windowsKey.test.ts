import { execFile } from "node:child_process";
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { keyStorage } from "./keyStorage.ts";

describe("the key of the windows", () => {
  it("is made by the first, of 32 bytes, for this person alone, and is the same for the next", async () => {
    await using some = await keyStorage();
    const key = await some.key();
    expect(key).toHaveLength(32);
    expect((await stat(some.folder)).mode & 0o777).toBe(0o700);
    expect((await stat(some.path)).mode & 0o777).toBe(0o600);
    expect(await readFile(some.path, "utf8")).toBe(key.toString("hex"));
    expect(await some.key()).toEqual(key);
    expect(some.warnings).toEqual([]);
    await using other = await keyStorage();
    expect(await other.key()).not.toEqual(key);
  });

  it("S-49: is one of however many ask at once, and nothing else is left there", async () => {
    await using some = await keyStorage();
    const keys = await Promise.all(Array.from({ length: 50 }, () => some.key()));
    expect(new Set(keys.map(String)).size).toBe(1);
    expect(await readdir(some.folder)).toEqual(["key"]);
    expect(some.warnings).toEqual([]);
  });

  it.each([
    ["an empty file", "", "not-a-key"],
    ["half a key", "0".repeat(32), "not-a-key"],
    ["a file that is too long", "0".repeat(1_000_000), "not-a-key"],
    ["a file of something else", `${"0".repeat(63)}\n`, "not-a-key"],
  ])("is made anew in the place of %s, and that is said", async (_, text, why) => {
    await using some = await keyStorage();
    await mkdir(some.folder);
    await writeFile(some.path, text, { mode: 0o600 });
    const key = await some.key();
    expect(some.warnings).toEqual([why]);
    expect((await stat(some.path)).mode & 0o777).toBe(0o600);
    expect(await some.key()).toEqual(key);
    expect(await readdir(some.folder)).toEqual(["key"]);
  });

  it("S-49: is made anew when others could have read it", async () => {
    await using some = await keyStorage();
    const key = await some.key();
    await chmod(some.path, 0o644);
    expect(await some.key()).not.toEqual(key);
    expect(some.warnings).toEqual(["readable-by-others"]);
  });

  it("is no other file by way of a link, which stays as it is, nor a pipe, which keeps nobody waiting", async () => {
    await using some = await keyStorage();
    const elsewhere = join(some.folder, "elsewhere");
    await mkdir(some.folder);
    await writeFile(elsewhere, "0".repeat(64), { mode: 0o600 });
    await symlink(elsewhere, some.path);
    expect(await some.key()).not.toEqual(Buffer.alloc(32));
    expect(await readFile(elsewhere, "utf8")).toBe("0".repeat(64));
    await using other = await keyStorage();
    await mkdir(other.folder);
    await promisify(execFile)("mkfifo", [other.path]);
    expect(await other.key()).toHaveLength(32);
  });

  it("cannot be had where a folder has its name, and that is an error", async () => {
    await using some = await keyStorage();
    await mkdir(some.path, { recursive: true });
    await expect(some.key()).rejects.toThrow();
  });
});
