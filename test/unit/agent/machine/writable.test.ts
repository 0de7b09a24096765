import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { writableFor } from "../../../../agent/src/machine/linux/writable.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const OWNER = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const ME = { name: "me", owner: OWNER, isOurs: false };
const STRANGER = { uid: OWNER.uid + 4_711, gid: OWNER.gid + 4_711 };
const SOMEBODY = { name: "somebody", owner: STRANGER, isOurs: false };
const NOTHING = { paths: [], logsDirectories: [] };

/** A place for logs with a folder `mine`, and the answer for a log file below it. */
async function logs() {
  const directory = await tempDirectory();
  const folder = join(directory.path, "mine");
  await mkdir(folder);
  const ask = (logFile: string, account = ME, logsDirectories: readonly string[] = []) =>
    writableFor({ logFile, dataDir: "", logsDirectories }, account, directory.path);
  return { ...directory, folder, ask };
}

describe("what a service may write to", () => {
  test("is the folder of its log, where its account may write anyway", async () => {
    await using at = await logs();
    const log = join(at.folder, "rport.log");
    expect(await at.ask(log)).toEqual({ paths: [at.folder], logsDirectories: [] });
    expect(await at.ask(join(at.folder, "..", "mine", "rport.log"))).toMatchObject({
      paths: [at.folder],
    });
    expect(await at.ask(log, SOMEBODY)).toEqual(NOTHING);
    await chmod(at.folder, 0o570);
    expect(
      await at.ask(log, { ...SOMEBODY, owner: { ...STRANGER, gid: OWNER.gid } }),
    ).toMatchObject({ paths: [at.folder] });
    await chmod(at.folder, 0o557);
    expect(await at.ask(log, SOMEBODY)).toEqual(NOTHING);
  });

  test("is the log alone, in a folder of somebody else's", async () => {
    await using at = await logs();
    const log = join(at.folder, "rport.log");
    await writeFile(log, "");
    await chmod(at.folder, 0o555);
    expect(await at.ask(log)).toEqual({ paths: [log], logsDirectories: [] });
  });

  test("is a folder for logs that systemd makes, directly below the place for logs", async () => {
    await using at = await logs();
    const missing = join(at.path, "rport", "rport.log");
    expect(await at.ask(missing)).toEqual({ paths: [], logsDirectories: ["rport"] });
    const made = { paths: [], logsDirectories: ["mine"] };
    expect(await at.ask(join(at.folder, "rport.log"), ME, ["mine"])).toEqual(made);
    expect(await at.ask(join(at.path, "a", "b", "rport.log"))).toEqual(NOTHING);
    expect(await at.ask(join(at.path, "..", "elsewhere", "rport.log"))).toEqual(NOTHING);
  });

  test("is its data directory elsewhere, and never a place of somebody else's", async () => {
    await using at = await logs();
    const ask = (dataDir: string, account = ME) =>
      writableFor({ logFile: "", dataDir, logsDirectories: [] }, account, at.path);
    expect(await ask(at.folder)).toEqual({ paths: [at.folder], logsDirectories: [] });
    expect(await ask(at.folder, SOMEBODY)).toEqual(NOTHING);
    for (const dataDir of ["", "state", "/var/lib/rport", "/var/lib/rport/x", "/etc", "/nowhere"]) {
      expect(await ask(dataDir, SOMEBODY)).toEqual(NOTHING);
    }
    expect(await at.ask("rport.log")).toEqual(NOTHING);
  });
});
