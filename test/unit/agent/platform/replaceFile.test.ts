import { readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { replaceFile } from "../../../../agent/src/platform/replaceFile.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const failure = (code: string) => Object.assign(new Error(`${code}: not permitted`), { code });

async function files() {
  const directory = await tempDirectory();
  const [from, to] = [join(directory.path, "new"), join(directory.path, "old")];
  await writeFile(from, "new");
  await writeFile(to, "old");
  return { directory, from, to, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}

describe("replacing a file", () => {
  it.each(["EPERM", "EACCES", "EBUSY"])(
    "waits for a reader that Windows tells of as %s",
    async (code) => {
      await using it = await files();
      let readers = 3;
      await replaceFile(it.from, it.to, async (from, to) => {
        readers -= 1;
        if (readers >= 0) throw failure(code);
        await rename(from, to);
      });
      expect(await readFile(it.to, "utf8")).toBe("new");
      expect(await readdir(it.directory.path)).toEqual(["old"]);
    },
  );

  it("gives up on a reader that stays, and on everything else at once", async () => {
    await using it = await files();
    let tries = 0;
    const refuse = (code: string) => async () => {
      tries += 1;
      throw failure(code);
    };
    await expect(replaceFile(it.from, it.to, refuse("EPERM"))).rejects.toThrow("EPERM");
    expect(tries).toBe(8);
    tries = 0;
    await expect(replaceFile(it.from, it.to, refuse("ENOSPC"))).rejects.toThrow("ENOSPC");
    expect(tries).toBe(1);
    expect(await readFile(it.to, "utf8")).toBe("old");
  });
});
