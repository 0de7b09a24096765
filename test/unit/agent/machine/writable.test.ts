import { chmod, chown, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { writableFor } from "../../../../agent/src/machine/linux/writable.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const OWNER = { uid: 54_711, gid: 54_712 };
const AGENT = { name: "agent", owner: OWNER, isOurs: false };
const STRANGER = { uid: 54_713, gid: 54_714 };
const SOMEBODY = { name: "somebody", owner: STRANGER, isOurs: false };
const NOTHING = { paths: [], logsDirectories: [] };
const isRoot = process.getuid?.() === 0;

const give = (path: string) => chown(path, OWNER.uid, OWNER.gid);

/** A place for logs with a folder `mine` of the agent's account, and the answer for a log file below it. */
async function logs() {
  const directory = await tempDirectory();
  const folder = join(directory.path, "mine");
  await mkdir(folder);
  await give(folder);
  const ask = (logFile: string, account = AGENT, logsDirectories: readonly string[] = []) =>
    writableFor({ logFile, dataDir: "", logsDirectories }, account, directory.path);
  const askData = (dataDir: string, account = AGENT) =>
    writableFor({ logFile: "", dataDir, logsDirectories: [] }, account, directory.path);
  return { ...directory, folder, ask, askData };
}

describe.skipIf(!isRoot)("what a service may write to", () => {
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
    await give(log);
    await chown(at.folder, STRANGER.uid, STRANGER.gid);
    expect(await at.ask(log)).toEqual({ paths: [log], logsDirectories: [] });
  });

  test("is a folder for logs of RPort's that systemd makes, directly below the place for logs", async () => {
    await using at = await logs();
    const missing = join(at.path, "rport", "rport.log");
    const made = { paths: [], logsDirectories: ["rport"] };
    expect(await at.ask(missing)).toEqual(made);
    await mkdir(join(at.path, "rport"));
    expect(await at.ask(missing, AGENT, ["rport"])).toEqual(made);
    expect(await at.ask(join(at.path, "a", "b", "rport.log"))).toEqual(NOTHING);
    expect(await at.ask(join(at.path, "..", "elsewhere", "rport.log"))).toEqual(NOTHING);
  });

  test("is no folder for logs that another program would find to be the agent's", async () => {
    await using at = await logs();
    for (const name of ["journal", "mysql", "audit", "rportd"]) {
      expect(await at.ask(join(at.path, name, "rport.log"))).toEqual(NOTHING);
    }
    const made = await at.ask(join(at.folder, "rport.log"), AGENT, ["mine"]);
    expect(made).toEqual({ paths: [at.folder], logsDirectories: [] });
  });

  test("is its data directory elsewhere, and never a place of somebody else's", async () => {
    await using at = await logs();
    const mine = { paths: [at.folder], logsDirectories: [] };
    expect(await at.askData(at.folder)).toEqual(mine);
    expect(await at.askData(`${at.folder}/`)).toEqual(mine);
    expect(await at.askData(at.folder, SOMEBODY)).toEqual(NOTHING);
    for (const dataDir of ["", "state", "/var/lib/rport", "/var/lib/rport/x", "/etc", "/nowhere"]) {
      expect(await at.askData(dataDir, SOMEBODY)).toEqual(NOTHING);
    }
    expect(await at.ask("rport.log")).toEqual(NOTHING);
  });

  test("is nothing that its account could make a link of afterwards", async () => {
    await using at = await logs();
    const inside = join(at.folder, "data");
    await mkdir(inside);
    await give(inside);
    expect(await at.askData(inside)).toEqual(NOTHING);
    expect(await at.ask(join(inside, "rport.log"))).toEqual(NOTHING);
    const link = join(at.path, "link");
    await symlink(at.folder, link);
    expect(await at.askData(link)).toEqual(NOTHING);
    await chmod(at.path, 0o1777);
    expect(await at.askData(at.folder)).toEqual(NOTHING);
  });
});
