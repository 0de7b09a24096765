import { chmod, chown, mkdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { seatFoldersOf } from "../../../../extension/src/tunnels/sharing/seatFolders.ts";
import { windowsFolder } from "../../../../extension/src/tunnels/sharing/windowsKey.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const person = String(process.getuid?.());
const isRoot = person === "0";
const NOBODY = 65_534;

/** A storage folder with a path that no socket fits below, and a folder of folders of persons. */
async function setUp() {
  const temp = await tempDirectory();
  const runtimes = join(temp.path, "user");
  const own = join(runtimes, person);
  await mkdir(runtimes);
  const storage = join(temp.path, "l".repeat(80), "storage");
  const found = () => seatFoldersOf(storage, runtimes);
  return { temp, own, storage, found };
}

describe.skipIf(process.platform === "win32")("the seat of a long storage folder", () => {
  it("is in the folder that the system has made for this person alone", async () => {
    const { temp, own, found } = await setUp();
    await using _temp = temp;
    await mkdir(own, { mode: 0o700 });
    expect(await found()).toEqual([expect.stringMatching(`^${own}/rport-[0-9a-f]{16}$`)]);
  });

  it.each(["missing", "open to others", "a link"])(
    "is in the folder for all where the person's is %s",
    async (how) => {
      const { temp, own, found } = await setUp();
      await using _temp = temp;
      if (how === "open to others") await mkdir(own).then(() => chmod(own, 0o750));
      if (how === "a link") await symlink(temp.path, own);
      expect(await found()).toEqual([expect.stringMatching(`^${tmpdir()}/rport-${person}-`)]);
    },
  );

  it("is looked for in the folder for all, too, unless that is somebody else's", async (ctx) => {
    const { temp, own, found } = await setUp();
    await using _temp = temp;
    const [forAll] = await found();
    await mkdir(own, { mode: 0o700 });
    await mkdir(forAll, { mode: 0o700 });
    try {
      expect(await found()).toEqual([expect.stringContaining(own), forAll]);
      ctx.skip(!isRoot, "only root gives folders to others");
      await chown(forAll, NOBODY, NOBODY);
      expect(await found()).toEqual([expect.stringContaining(own)]);
    } finally {
      await rm(forAll, { recursive: true });
    }
  });

  it.skipIf(!isRoot)("is not in a person's folder that is somebody else's", async () => {
    const { temp, own, found } = await setUp();
    await using _temp = temp;
    await mkdir(own, { mode: 0o700 });
    await chown(own, NOBODY, NOBODY);
    expect(await found()).toEqual([expect.stringMatching(`^${tmpdir()}/rport-${person}-`)]);
  });

  it("is in a short one itself", async () => {
    expect(await seatFoldersOf("/short")).toEqual([windowsFolder("/short")]);
  });
});
