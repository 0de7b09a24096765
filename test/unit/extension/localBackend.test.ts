import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  endingLines,
  lastLines,
  startReason,
} from "../../../extension/src/model/localBackendText.ts";
import {
  ListeningMemory,
  listeningArgs,
  nearListening,
} from "../../../extension/src/servers/localBackend/listening.ts";
import {
  findNode,
  nodeCandidates,
  nodeEnvironment,
} from "../../../extension/src/servers/localBackend/nodes.ts";
import type { Environment } from "../../../extension/src/support/environment.ts";
import { Redactor } from "../../../extension/src/support/redact.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const person = (platform: NodeJS.Platform, path: string): Environment => ({
  platform,
  homeDirectory: "/home/me",
  uid: 1,
  variable: (name) => (name === "PATH" ? path : undefined),
});

describe("the Node that runs the local backend", () => {
  it("is the editor's own, then one of the PATH, never one of the folder that is open", () => {
    expect(nodeCandidates(person("linux", "/usr/bin:.:bin:/opt/node/bin"), "/code/node")).toEqual([
      "/code/node",
      "/usr/bin/node",
      "/opt/node/bin/node",
    ]);
    const windows = nodeCandidates(person("win32", "C:\\node;.;tools"), "C:\\Code\\Code.exe");
    expect(windows).toEqual(["C:\\Code\\Code.exe", "C:\\node\\node.exe"]);
  });

  it("is the first that is new enough and whole; what is none is passed over", async () => {
    await using temp = await tempDirectory();
    const program = async (name: string, answer: string) => {
      const path = join(temp.path, name);
      await writeFile(path, `#!/bin/sh\necho '${answer}'\n`);
      await chmod(path, 0o755);
      return path;
    };
    const old = await program("old", '["22.19.0",true]');
    const without = await program("without", '["24.1.0",false]');
    const other = await program("other", "hello");
    const missing = join(temp.path, "missing");
    const none = await findNode([missing, other, old, without], 24);
    expect(none).toEqual({ kind: "none", versions: ["22.19.0", "24.1.0"] });
    const found = await findNode([old, process.execPath], 24);
    expect(found).toEqual({ kind: "found", path: process.execPath });
  });

  it("gets the person's environment without what is the editor's", () => {
    const given = {
      PATH: "/bin",
      RPORT_SERVER_PORT: "1",
      VSCODE_IPC_HOOK: "x",
      NODE_OPTIONS: "--inspect",
      ELECTRON_NO_ASAR: "1",
    };
    expect(nodeEnvironment(given)).toEqual({
      PATH: "/bin",
      RPORT_SERVER_PORT: "1",
      ELECTRON_RUN_AS_NODE: "1",
    });
  });
});

describe("where the local backend listens", () => {
  const remembering = (stored: unknown) =>
    new ListeningMemory({ get: () => stored as never, update: async () => undefined });

  it("is on loopback by itself, and then only where somebody chose", () => {
    expect(listeningArgs(undefined)).toEqual([]);
    expect(listeningArgs(nearListening(9_000))).toEqual(["--address", "127.0.0.1:9000"]);
    expect(listeningArgs({ host: "fd00::7", port: 8_080 })).toEqual([
      "--address",
      "[fd00::7]:8080",
      "--api-address",
      "127.0.0.1:8080",
    ]);
  });

  it("is forgotten where what was kept is damaged", () => {
    expect(remembering({ host: "10.0.0.7", port: 8_080 }).chosen?.host).toBe("10.0.0.7");
    expect(remembering({ host: "10.0.0.7", port: "8080" }).chosen).toBeUndefined();
    expect(remembering(undefined).chosen).toBeUndefined();
  });
});

describe("what is said of the local backend", () => {
  it("why it did not start: the backend's own sentence, the end of what it wrote, no secret", () => {
    const redactor = new Redactor();
    redactor.add("s3cret-of-the-server");
    const noise = Array.from({ length: 30 }, (_, n) => `line ${n}`).join("\n");
    const output = `${noise}\nthe key is s3cret-of-the-server\u202E\nrport-backend: 127.0.0.1:8080 is taken.\nBye.\n`;
    const lines = lastLines(output, (text) => redactor.clean(text));
    expect(lines).toHaveLength(10);
    expect(lines.slice(-3)).toEqual([
      "the key is [redacted]\\u{202E}",
      "rport-backend: 127.0.0.1:8080 is taken.",
      "Bye.",
    ]);
    expect(startReason(lines)).toBe("127.0.0.1:8080 is taken.");
    expect(startReason(["Bye."])).toBe("Bye.");
    expect(startReason([])).toBe("It ended without saying why.");
  });

  it("what ends with it, with names as far as they help", () => {
    const online = ["a", "b", "c", "d", "e", "web\n06"];
    expect(endingLines({ online, tunnels: 1, isOurs: true })).toEqual([
      "Disconnected: 6 clients (a, b, c, d, e +1).",
      "Closed: 1 tunnel of this window.",
      "Nothing is deleted: agents come back by themselves when it is started again.",
    ]);
    expect(endingLines({ online: [], tunnels: 0, isOurs: false })).toEqual([
      "No client is connected.",
      "Nothing is deleted: agents come back by themselves when it is started again.",
      "It was not started by the editor: whatever started it may start it again, or has to.",
    ]);
  });
});
