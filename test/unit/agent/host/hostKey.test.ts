import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeHostKey, hostKeyProofText } from "@rport/protocol/hostKey";
import { describe, expect, it } from "vitest";
import { forgetHostKey, hostKeyFileIn, openHostKey } from "../../../../agent/src/host/hostKey.ts";
import { createLog } from "../../../../agent/src/platform/log.ts";
import { FakeClock } from "../../../support/clock.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const PROOF = { nonce: "n".repeat(43), serverFingerprint: "SHA256:x", clientId: "machine-1" };

async function setUp() {
  const directory = await tempDirectory();
  const dataDir = join(directory.path, "state");
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const log = createLog({ level: "debug", clock: new FakeClock(), write });
  const file = hostKeyFileIn(dataDir);
  const open = () => openHostKey(dataDir, log);
  return { dataDir, lines, file, open, [Symbol.asyncDispose]: directory[Symbol.asyncDispose] };
}

describe("the host key", () => {
  it("is made once, for its owner alone, and stays", async () => {
    await using it = await setUp();
    const first = await it.open();
    expect((await stat(it.file)).mode & 0o777).toBe(0o600);
    expect(await readdir(it.dataDir)).toEqual(["host.key"]);
    const second = await it.open();
    expect(second?.publicKey).toBe(first?.publicKey);
    expect(it.lines).toEqual([]);
  });

  it("proves what its public half verifies", async () => {
    await using it = await setUp();
    const key = await it.open();
    const signature = key?.prove(PROOF) ?? "";
    const seen = decodeHostKey(key?.publicKey ?? "");
    expect(seen?.verifies(hostKeyProofText(PROOF), signature)).toBe(true);
  });

  it("is another one after it was forgotten", async () => {
    await using it = await setUp();
    const first = await it.open();
    await forgetHostKey(it.dataDir);
    await forgetHostKey(it.dataDir);
    expect((await it.open())?.publicKey).not.toBe(first?.publicKey);
  });

  it("that is damaged is put aside, told, and replaced", async () => {
    await using it = await setUp();
    await mkdir(it.dataDir);
    await writeFile(it.file, "not a key");
    expect(await it.open()).toBeDefined();
    expect(await readFile(`${it.file}.damaged`, "utf8")).toBe("not a key");
    expect(it.lines.join("")).toContain("damaged");
    expect(it.lines.join("")).not.toContain("not a key");
  });

  it("is not made where it could not stay, and that is told", async () => {
    await using it = await setUp();
    await writeFile(it.dataDir, "a file in the way");
    expect(await it.open()).toBeUndefined();
    expect(it.lines.join("")).toContain("cannot be kept");
  });
});
