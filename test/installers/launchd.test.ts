import { chmod, mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { ClientId } from "@rport/protocol/ids";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { enroll } from "../../agent/src/enroll/enroll.ts";
import { readToken } from "../../agent/src/enroll/token.ts";
import { macosInstalling } from "../../agent/src/machine/macos/macos.ts";
import { renderPlist } from "../../agent/src/machine/macos/plist.ts";
import { platformOf } from "../../agent/src/machine/platformOf.ts";
import { SYSTEM_CLOCK } from "../../agent/src/platform/clock.ts";
import { install } from "../../agent/src/service/install.ts";
import { Supervision } from "../../agent/src/service/supervision.ts";
import { uninstall } from "../../agent/src/service/uninstall.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { macTools, recordOf } from "../support/installer/macTools.ts";
import { newPairing } from "../support/installer/pairing.ts";
import { type RealRelease, realRelease } from "../support/installer/realRelease.ts";
import { whyNoSystemd } from "../support/systemd/available.ts";
import { run } from "../support/systemd/process.ts";
import { tempDirectory } from "../support/tempDirectory.ts";

const BUILD_MS = 180_000;
const reason = whyNoSystemd();
const REQUEST = {
  pairing: undefined,
  isNewId: false,
  isForced: false,
  isStarted: true,
  isDryRun: false,
  terminals: { kind: "unsaid" as const },
};

describe("a plist", () => {
  test("says what is run, as whom, and what launchd does about it, whatever is in the paths", async () => {
    const logFile = "/Users/me/a & b <c>/log";
    const command = ["/Users/me/a & b <c>/rport-agent", "run", "-c", "/Users/me/x.conf"];
    const text = renderPlist({ label: "rport-agent", user: "_rport", command, logFile });
    const ask = (path: string) =>
      run("xmllint", ["--nonet", "--xpath", path, "-"], { input: text, timeoutMs: 10_000 });
    const value = async (key: string) =>
      (await ask(`string(//key[.='${key}']/following-sibling::*[1])`)).stdout.trimEnd();
    expect(await value("UserName")).toBe("_rport");
    expect(await value("StandardErrorPath")).toBe(logFile);
    expect(await value("ThrottleInterval")).toBe("5");
    const flag = await ask("name(//key[.='KeepAlive']/following-sibling::*[1])");
    expect(flag.stdout.trimEnd()).toBe("true");
    expect((await ask("string(//array/string[1])")).stdout.trimEnd()).toBe(command[0]);
    expect((await ask("count(//array/string)")).stdout.trimEnd()).toBe("4");
  });
});

describe.skipIf(reason !== undefined)("with stand-ins for the tools of macOS", () => {
  let release: RealRelease;
  let backend: RunningBackend;

  beforeAll(async () => {
    release = await realRelease();
    backend = await startBackend({});
  }, BUILD_MS);
  afterAll(async () => {
    await backend?.[Symbol.asyncDispose]();
    await release?.[Symbol.asyncDispose]();
  });

  /** A machine's files below a folder, and what installs there. */
  async function createMac() {
    await using opened = new AsyncDisposableStack();
    const { path } = opened.use(await tempDirectory());
    await chmod(path, 0o755);
    for (const name of [
      "etc",
      "var/log",
      "var/run",
      "var/lib",
      "usr/local/bin",
      "Library/LaunchDaemons",
    ]) {
      await mkdir(join(path, "root", name), { recursive: true });
    }
    const programs = await macTools(path);
    const root = join(path, "root");
    const installing = macosInstalling({ programs, clock: SYSTEM_CLOCK }, root);
    const layout = installing.systemLayout();
    const file = join(release.directory, "rport-agent-linux-x64");
    const place = { layout, self: { kind: "executable" as const, file }, user: "_rport" };
    const supervision = await Supervision.of(place, installing, true);
    const said: string[] = [];
    const clientId = `mac-${path.slice(-6)}` as ClientId;
    const claim = async (target: string) => {
      const { token: typed } = await newPairing(backend);
      const token = await readToken({ kind: "stdin", stream: streamOf(typed) });
      const platform = { ...platformOf("darwin"), idReaders: () => [async () => clientId] };
      const wanted = {
        pairing: undefined,
        tlsPin: undefined,
        name: "",
        tags: [],
        isNewId: false,
        isForced: false,
      };
      const request = {
        ...wanted,
        server: backend.url,
        file: target,
        token,
        dataDir: layout.dataDir,
      };
      return enroll(request, { platform, hostname: "mac", clock: SYSTEM_CLOCK });
    };
    const temporary = join(path, "temporary");
    await mkdir(temporary);
    const deps = {
      place,
      installing,
      programs,
      clock: SYSTEM_CLOCK,
      supervisor: supervision.wanted.bind(supervision),
      predecessor: undefined,
      enroll: claim,
      temporary,
      say: (line: string) => void said.push(line),
      signal: new AbortController().signal,
    };
    const remove = () => {
      const supervisors = supervision.all();
      const request = { keepsConfig: false, isDryRun: false };
      const parts = { layout, installing, supervisors, wayBack: [], user: "_rport" };
      return uninstall(request, { ...parts, say: deps.say });
    };
    opened.defer(async () => {
      await remove();
    });
    const closing = opened.move();
    return {
      root,
      layout,
      said,
      clientId,
      remove,
      state: programs.state,
      installs: (changes = {}) => install({ server: backend.url, ...REQUEST, ...changes }, deps),
      [Symbol.asyncDispose]: () => closing.disposeAsync(),
    };
  }

  test("PAIR-27: a daemon of a hidden account connects the host, and goes without a trace", async () => {
    await using mac = await createMac();
    const before = await readdir(mac.root, { recursive: true });
    await mac.installs({ isDryRun: true });
    expect(mac.said.join("\n")).toContain("would set up the launchd job rport-agent");
    expect(await readdir(mac.root, { recursive: true })).toEqual(before);

    await mac.installs();
    const client = await backend.api("getClient", { params: { clientId: mac.clientId } });
    expect(client.connection_state).toBe("connected");
    expect(await recordOf(mac.state, "Users/_rport", "IsHidden")).toBe("1");
    expect(await recordOf(mac.state, "Users/_rport", "UserShell")).toBe("/usr/bin/false");
    const { uid, mode } = await stat(mac.layout.config);
    expect(String(uid)).toBe(await recordOf(mac.state, "Users/_rport", "UniqueID"));
    expect(mode & 0o777).toBe(0o600);
    const plist = await readFile(join(mac.root, "Library/LaunchDaemons/rport-agent.plist"), "utf8");
    const secret = /auth = "[^:]+:([^"]+)"/.exec(await readFile(mac.layout.config, "utf8"))?.[1];
    expect(secret).toBeDefined();
    expect(plist).not.toContain(secret);

    await mac.installs();
    expect(mac.said.at(-1)).toContain("already enrolled");
    await mac.remove();
    expect(await readdir(mac.root, { recursive: true })).toEqual(before);
    expect(await readdir(join(mac.state, "records/Users"))).toEqual([]);
    expect(await readdir(join(mac.state, "records/Groups"))).toEqual([]);
  });
});

function streamOf(text: string): NodeJS.ReadableStream {
  return Readable.from([text]);
}
