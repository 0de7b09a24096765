import { spawnSync } from "node:child_process";
import { readlink, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readSmallFile } from "@rport/protocol/local/smallFile";
import { newPairingToken } from "@rport/protocol/sealing";
import { describe, expect, it } from "vitest";
import { readAttributes } from "../../../../agent/src/config/attributes.ts";
import { CONFIG_MAX_BYTES } from "../../../../agent/src/config/config.ts";
import { CredentialStore } from "../../../../agent/src/config/credentialStore.ts";
import { loadConfig } from "../../../../agent/src/config/loadConfig.ts";
import { enroll } from "../../../../agent/src/enroll/enroll.ts";
import { hostKeyFileIn, openHostKey } from "../../../../agent/src/host/hostKey.ts";
import { giveFile } from "../../../../agent/src/machine/placing.ts";
import { platformOf } from "../../../../agent/src/machine/platformOf.ts";
import { BackgroundProcess } from "../../../../agent/src/machine/posix/background.ts";
import { POSIX_RIGHTS } from "../../../../agent/src/machine/posix/rights.ts";
import { Undo } from "../../../../agent/src/machine/undo.ts";
import { SYSTEM_CLOCK } from "../../../../agent/src/platform/clock.ts";
import { readEnd } from "../../../../agent/src/platform/fileEnd.ts";
import { keepFile } from "../../../../agent/src/platform/keepFile.ts";
import { createLog } from "../../../../agent/src/platform/log.ts";
import { hashOfFile } from "../../../../agent/src/service/fileHash.ts";
import { readReceipt } from "../../../../agent/src/service/receipt.ts";
import { readState } from "../../../../agent/src/state/stateFile.ts";
import { agentConfigText } from "../../../support/agents/agent.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";
import { within } from "../../../support/within.ts";

/** What another account may put where it may write: nobody ever finishes reading it. */
const ENDLESS: Readonly<Record<string, (path: string) => unknown>> = {
  "a pipe that nobody writes into": (path) => spawnSync("mkfifo", [path]),
  "a link to a device without an end": (path) => symlink("/dev/zero", path),
};
/** A plain file, the system says, of no size: 256 GiB can be read of it. */
const PAGEMAP = "/proc/self/pagemap";

describe.each(Object.entries(ENDLESS))("S-34: in the place of a file, %s", (_, put) => {
  it("is no configuration, no state, no receipt and no log, and keeps nobody waiting", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "planted");
    await put(path);
    await expect(loadConfig(path)).rejects.toThrow("it is no plain file");
    expect(await readState(path)).toBeUndefined();
    expect(await readReceipt(path)).toEqual({ kind: "foreign" });
    expect(await readEnd(path, 10)).toBe("");
  });

  it("is no program whose hash anybody waits for", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "planted");
    await put(path);
    const hashing = within("an end of hashing", hashOfFile(path));
    await expect(hashing).rejects.toThrow("it is no plain file");
  });
});

describe.skipIf(process.platform !== "linux")("S-46: a plain file that goes on for ever", () => {
  it("S-34: is read no further than a configuration goes, by whoever reads one", async () => {
    await using directory = await tempDirectory();
    const config = join(directory.path, "rport.conf");
    await writeFile(config, agentConfigText({ server: "ws://127.0.0.1:1" }, directory.path));
    const credentials = new CredentialStore(await loadConfig(config), SYSTEM_CLOCK);
    await rm(config);
    await symlink(PAGEMAP, config);
    const told = `it is larger than ${CONFIG_MAX_BYTES} bytes`;
    await expect(within("a configuration", loadConfig(config))).rejects.toThrow(told);
    const replacing = credentials.replaceSecret("another-secret");
    await expect(within("a new secret", replacing)).rejects.toThrow(told);
  });

  it("is no state, no receipt, and no process that is there", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "planted");
    await symlink(PAGEMAP, path);
    expect(await within("a state", readState(path))).toBeUndefined();
    expect(await within("a receipt", readReceipt(path))).toEqual({ kind: "foreign" });
    expect(await within("a receipt", readReceipt(PAGEMAP))).toEqual({ kind: "foreign" });
    const process = new BackgroundProcess({
      command: ["/nowhere/to/be/found", "run"],
      pidFile: path,
      logFile: path,
      account: undefined,
      clock: SYSTEM_CLOCK,
      endsWith: async () => true,
    });
    expect(await within("an answer", process.isRunning())).toBe(false);
  });

  it("is hashed no further than a program goes", async () => {
    await expect(within("an end", hashOfFile(PAGEMAP, 1 << 20))).rejects.toThrow(
      "it is larger than",
    );
  });

  it("is put aside where the key of the host would be", async () => {
    await using directory = await tempDirectory();
    const file = hostKeyFileIn(directory.path);
    await symlink(PAGEMAP, file);
    const told: string[] = [];
    const log = createLog({ level: "warn", clock: SYSTEM_CLOCK, write: (line) => told.push(line) });
    const key = await within("a key", openHostKey(directory.path, log));
    expect(key?.publicKey).toBeDefined();
    expect(told.join()).toContain("the host key is damaged");
    expect(await readlink(`${file}.damaged`)).toBe(PAGEMAP);
  });
});

describe("S-46: a pipe in the place of a file keeps nobody waiting", () => {
  it.skipIf(process.platform === "win32")("who starts, stops or asks a process", async () => {
    await using directory = await tempDirectory();
    const [pidFile, logFile] = [join(directory.path, "pid"), join(directory.path, "log")];
    for (const path of [pidFile, logFile]) spawnSync("mkfifo", [path]);
    const process = new BackgroundProcess({
      command: ["/nowhere/to/be/found", "run", "-c", "x"],
      pidFile,
      logFile,
      account: undefined,
      clock: SYSTEM_CLOCK,
      endsWith: async () => false,
    });
    expect(await within("an answer", process.isRunning())).toBe(false);
    await expect(within("an end of the start", process.start())).rejects.toThrow("ENXIO");
  });

  it("who keeps a file, enrols, or reads tags and labels", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "planted");
    spawnSync("mkfifo", [path]);
    const name = async () =>
      Promise.reject(Object.assign(new Error("no links"), { code: "EPERM" }));
    const keeping = keepFile(path, join(directory.path, "kept"), { name });
    await expect(within("an end of keeping", keeping)).rejects.toThrow("is no plain file");

    const config = join(directory.path, "rport.conf");
    await writeFile(config, agentConfigText({ server: "ws://127.0.0.1:1" }, directory.path));
    const told: string[] = [];
    const log = createLog({
      level: "warn",
      clock: SYSTEM_CLOCK,
      write: (line) => void told.push(line),
    });
    const read = readAttributes({ ...(await loadConfig(config)), attributesFile: path }, log);
    expect(await within("tags", read)).toEqual({ tags: [], labels: {} });
    expect(told.join()).toContain("does not hold tags and labels");

    const request = { server: "http://127.0.0.1:1", pairing: undefined, tlsPin: undefined };
    const asked = { ...request, file: path, token: newPairingToken(), name: "", tags: [] };
    const deps = { platform: platformOf(process.platform), hostname: "h", clock: SYSTEM_CLOCK };
    const enrolling = enroll({ ...asked, isNewId: false, dataDir: "", isForced: false }, deps);
    await expect(within("an end of enrolling", enrolling)).rejects.toThrow("it is no plain file");
  });
});

it("S-34: a pipe is not waited for by who gives it to its owner", async () => {
  await using directory = await tempDirectory();
  const path = join(directory.path, "planted");
  spawnSync("mkfifo", [path]);
  const giving = giveFile(path, { mode: 0o600 }, { undo: new Undo(), rights: POSIX_RIGHTS });
  await expect(giving).rejects.toThrow("is no plain file");
});

it("a small file is read as a whole, a larger one not at all, and of any the end", async () => {
  await using directory = await tempDirectory();
  const path = join(directory.path, "file");
  await writeFile(path, "0123456789");
  expect(await readSmallFile(path, 10)).toBe("0123456789");
  await expect(readSmallFile(path, 9)).rejects.toThrow("larger than 9 bytes");
  expect(await readEnd(path, 3)).toBe("789");
  expect(await readEnd(path, 30)).toBe("0123456789");
});
