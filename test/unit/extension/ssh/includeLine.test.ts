import { randomBytes } from "node:crypto";
import { chmod, lstat, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  hasLine,
  withLine,
  withoutLine,
} from "../../../../extension/src/ssh/config/includeLine.ts";
import { exclude, include, includes } from "../../../../extension/src/ssh/config/userConfig.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const LINE = "Include rport.d/*.conf";

const CONFIGS: readonly (readonly [string, Buffer])[] = [
  ["empty", Buffer.alloc(0)],
  ["one host", Buffer.from("Host a\n  User b\n")],
  ["no end of the last line", Buffer.from("Host a\n  User b")],
  ["lines of Windows", Buffer.from("# mine\r\nHost a\r\n\tUser b\r\n")],
  ["both kinds of lines", Buffer.from("Host a\n  User b\r\n\n\n")],
  ["one line without an end", Buffer.from("Host a")],
  ["no text", randomBytes(3_000)],
  ["another Include", Buffer.from("Include rport.d/*.conf2\n  Include  x/*.conf\n")],
  ["a mark at its beginning", Buffer.from("\ufeffHost a\n")],
];

describe("our line in somebody's ssh configuration", () => {
  it.each(CONFIGS)("leaves every byte as it was when it goes: %s", (_, config) => {
    const changed = withLine(config, LINE);
    expect(hasLine(config, LINE)).toBe(false);
    expect(hasLine(changed, LINE)).toBe(true);
    expect(changed.subarray(0, LINE.length).toString()).toBe(LINE);
    expect(withoutLine(changed, LINE)).toEqual(config);
  });

  it("ends as the first line does", () => {
    expect(withLine(Buffer.from("a\r\nb\r\n"), LINE).toString()).toBe(`${LINE}\r\na\r\nb\r\n`);
    expect(withLine(Buffer.from("a\nb\r\n"), LINE).toString()).toBe(`${LINE}\na\nb\r\n`);
  });

  it("is found where somebody has moved it to", () => {
    const moved = Buffer.from(`# first\n\n  ${LINE} \r\nHost a\n`);
    expect(withoutLine(moved, LINE).toString()).toBe("# first\n\nHost a\n");
  });
});

describe("somebody's ssh configuration", () => {
  it("is made where there is none, for nobody else to read, and goes when it is empty again", async () => {
    await using temp = await tempDirectory();
    const path = join(temp.path, ".ssh", "config");
    expect(await include(path, LINE)).toBe(true);
    expect(await includes(path, LINE)).toBe(true);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(temp.path, ".ssh"))).mode & 0o777).toBe(0o700);
    await exclude(path, LINE, true);
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("stays, as empty as it was, when it was there", async () => {
    await using temp = await tempDirectory();
    const path = join(temp.path, "config");
    await writeFile(path, "");
    expect(await include(path, LINE)).toBe(false);
    await exclude(path, LINE, false);
    expect(await readFile(path, "utf8")).toBe("");
  });

  it("has the line once, and keeps its rights", async () => {
    await using temp = await tempDirectory();
    const path = join(temp.path, "config");
    await writeFile(path, "Host a\n");
    await chmod(path, 0o640);
    await include(path, LINE);
    await include(path, LINE);
    expect(await readFile(path, "utf8")).toBe(`${LINE}\nHost a\n`);
    expect((await stat(path)).mode & 0o777).toBe(0o640);
  });

  it("is changed where a link leads to, and the link stays", async () => {
    await using temp = await tempDirectory();
    await mkdir(join(temp.path, "dotfiles"));
    const real = join(temp.path, "dotfiles", "ssh");
    const path = join(temp.path, "config");
    await writeFile(real, "Host a\n");
    await symlink("dotfiles/ssh", path);
    await include(path, LINE);
    expect(await readFile(real, "utf8")).toBe(`${LINE}\nHost a\n`);
    expect((await lstat(path)).isSymbolicLink()).toBe(true);
    await exclude(path, LINE, false);
    expect(await readFile(real, "utf8")).toBe("Host a\n");
  });

  it("is left alone where its owner has made it read-only, and the line is said", async () => {
    await using temp = await tempDirectory();
    const path = join(temp.path, "config");
    await writeFile(path, "Host a\n");
    await chmod(path, 0o400);
    await expect(include(path, LINE)).rejects.toThrow(
      `${path} cannot be changed: it is read-only. The line is: ${LINE}`,
    );
    expect(await readFile(path, "utf8")).toBe("Host a\n");
    // who has put it there by hand needs nothing more
    await chmod(path, 0o600);
    await writeFile(path, `${LINE}\nHost a\n`);
    await chmod(path, 0o400);
    expect(await include(path, LINE)).toBe(false);
    await expect(exclude(path, LINE, false)).rejects.toThrow("it is read-only");
  });

  it("is left alone where it is no file, or a link that leads nowhere", async () => {
    await using temp = await tempDirectory();
    const path = join(temp.path, "config");
    await symlink("nowhere", path);
    await expect(include(path, LINE)).rejects.toThrow("cannot be changed");
    await expect(include(temp.path, LINE)).rejects.toThrow("it is no file");
    expect((await lstat(path)).isSymbolicLink()).toBe(true);
  });
});
