import { readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LogFile } from "../../../../backend/src/platform/logFile.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const MIB = 1 << 20;

async function write(path: string, lines: readonly string[]): Promise<void> {
  const file = new LogFile(path);
  for (const line of lines) file.sink(line);
  await file.close();
}

describe("the log file", () => {
  it("takes lines behind those that are there, and only its owner reads it", async () => {
    await using scratch = await tempDirectory();
    const path = join(scratch.path, "rport.log");
    await write(path, ["one"]);
    await write(path, ["two", "three"]);
    expect(await readFile(path, "utf8")).toBe("one\ntwo\nthree\n");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("begins anew after 10 MB, and keeps five old ones", async () => {
    await using scratch = await tempDirectory();
    const path = join(scratch.path, "rport.log");
    await write(
      path,
      Array.from({ length: 81 }, (_, n) => `${n}`.padEnd(MIB, "x")),
    );
    const old = [1, 2, 3, 4, 5].map((n) => `rport.log.${n}`);
    expect((await readdir(scratch.path)).sort()).toEqual(["rport.log", ...old]);
    expect((await readFile(path, "utf8")).slice(0, 3)).toBe("80x");
    expect((await readFile(`${path}.1`, "utf8")).slice(0, 3)).toBe("70x");
    expect((await stat(`${path}.1`)).mode & 0o777).toBe(0o600);
  });

  it("that is a link is written to where it points, and stays one", async () => {
    await using scratch = await tempDirectory();
    const [path, target] = [join(scratch.path, "rport.log"), join(scratch.path, "elsewhere")];
    await writeFile(target, "");
    await symlink(target, path);
    await write(path, ["one"]);
    expect(await readFile(target, "utf8")).toBe("one\n");
  });

  it("that cannot be written stops nobody", async () => {
    await using scratch = await tempDirectory();
    await writeFile(join(scratch.path, "file"), "");
    await write(join(scratch.path, "file", "rport.log"), ["one"]);
    expect(await readdir(scratch.path)).toEqual(["file"]);
  });
});
