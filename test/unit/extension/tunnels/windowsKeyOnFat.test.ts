import { chmodSync } from "node:fs";
import { chmod, link, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { beforeEach, expect, it, vi } from "vitest";
import { keyStorage } from "./keyStorage.ts";

/** What the file system does: how it refuses second names, and whether all of its files have one mode. */
const system = vi.hoisted(() => ({ refusal: "EPERM", hasModes: true }));

vi.mock("node:fs/promises", async (importOriginal) => {
  const real = await importOriginal<typeof import("node:fs/promises")>();
  const refuse = async (): Promise<never> => {
    throw Object.assign(new Error(`${system.refusal}: link`), { code: system.refusal });
  };
  return { ...real, link: refuse };
});

vi.mock("node:fs", async (importOriginal) => {
  const real = await importOriginal<typeof import("node:fs")>();
  const writeFileSync: typeof real.writeFileSync = (path, data, options) => {
    real.writeFileSync(path, data, options);
    if (!system.hasModes) chmodSync(String(path), 0o777);
  };
  return { ...real, writeFileSync };
});

beforeEach(() => {
  Object.assign(system, { refusal: "EPERM", hasModes: true });
});

// Windows says the last of them of exFAT.
it.each(["EPERM", "EACCES", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EISDIR"])(
  "the key of the windows is one of however many ask at once where a second name is refused (%s)",
  async (refusal) => {
    system.refusal = refusal;
    await using some = await keyStorage();
    await expect(link("one", "two")).rejects.toMatchObject({ code: refusal });
    const keys = await Promise.all(Array.from({ length: 50 }, () => some.key()));
    expect(new Set(keys.map((key) => key.toString("hex"))).size).toBe(1);
    expect(await readFile(some.path, "utf8")).toBe(keys[0]?.toString("hex"));
    expect(await readdir(some.folder)).toEqual(["key"]);
    expect(some.warnings).toEqual([]);
  },
);

it("the key of the windows is made anew where it was left empty and a second name is refused", async () => {
  await using some = await keyStorage();
  await mkdir(some.folder);
  await writeFile(some.path, "", { mode: 0o600 });
  const key = await some.key();
  expect(key).toHaveLength(32);
  expect(await some.key()).toEqual(key);
  expect(some.warnings).toEqual(["not-a-key"]);
});

it("where others can read every file there is no key, and that is said once", async () => {
  system.hasModes = false;
  await using some = await keyStorage();
  const refusal = `the file system of ${some.folder} keeps no file from other users`;
  await expect(some.key()).rejects.toThrow(refusal);
  expect(some.warnings).toEqual([]);
  expect(await readdir(some.folder)).toEqual([]);
  await writeFile(some.path, "0".repeat(64));
  await chmod(some.path, 0o777);
  await expect(some.key()).rejects.toThrow(refusal);
  expect(some.warnings).toEqual(["readable-by-others"]);
});
