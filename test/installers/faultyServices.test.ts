import { readFile } from "node:fs/promises";
import type { ClientId } from "@rport/protocol/ids";
import { describe, expect, test } from "vitest";
import type { RunningBackend } from "../support/backend/backend.ts";
import { eventually } from "../support/eventually.ts";
import {
  faultyTool,
  SERVICE_TOOLS,
  TOOL_FAULTS,
  type ToolCall,
  type ToolFault,
  ToolFaults,
} from "../support/installer/faultyTools.ts";
import { INSTALL_MS, withInstallerServer } from "../support/installer/installerServer.ts";
import { curlLine, newPairing, withFlags } from "../support/installer/pairing.ts";
import { realRelease } from "../support/installer/realRelease.ts";
import { serveRelease } from "../support/installer/servedRelease.ts";
import { wholeTree } from "../support/installer/wholeTree.ts";
import { whyNoSystemd } from "../support/systemd/available.ts";
import type { InitName } from "../support/systemd/rootfs.ts";
import { bootSystemd } from "../support/systemd/system.ts";

const PROGRAM = "/usr/local/bin/rport-agent";
const BUNDLE = "/usr/local/lib/rport/agent.cjs";
/** First in the path, whoever looks for a program. */
const TOOLS = "/usr/local/sbin";
const STATE = "/run/faults";
/** Where an installation writes. */
const PLACES = [
  "/etc",
  "/usr/local",
  "/var/lib/rport",
  "/var/log/rport-agent.log",
  "/run/rport.pid",
];
const ALL_MS = 3_600_000;
/** `RPORT_FAULTS=all`: each call with each fault, which takes half an hour. */
const hasAll = process.env.RPORT_FAULTS === "all";

const reason = whyNoSystemd();

describe.skipIf(reason !== undefined)("PAIR-26: one call of a tool goes wrong", () => {
  const server = withInstallerServer("systemd", "openrc", "sysv");

  test.each(["systemd", "openrc", ...(hasAll ? (["sysv"] as const) : [])] as const)(
    "under %s: all is as before, or the next run puts it right",
    { timeout: ALL_MS },
    async (init) => {
      await using host = await createHost(server().backend, init);
      expect(await host.paste(await host.line())).toMatchObject({ code: 0 });
      const calls = await host.faults.calls();
      expect(calls.length).toBeGreaterThan(5);
      await host.uninstall();
      for (const [call, fault] of triedOf(calls)) await survives(host, call, fault);
    },
  );

  test("in an update: the version of before runs, or the next run brings the newer one", {
    timeout: ALL_MS,
  }, async () => {
    await using newer = await realRelease('process.env.RPORT_RELEASE = "newer";');
    const { release } = server();
    await using served = await serveRelease(release);
    await using host = await createHost(served.backend, "systemd");
    const update = async (call?: ToolCall, fault: ToolFault = "fails") => {
      await served.replace(release);
      expect(await host.paste(await host.line())).toMatchObject({ code: 0 });
      await served.replace(newer);
      if (call === undefined) await host.faults.clear();
      else await host.faults.plan(fault, call);
      return host.paste(await host.line());
    };
    expect(await update()).toMatchObject({ code: 0 });
    const calls = await host.faults.calls();
    const current = await host.hash();
    await host.uninstall();
    for (const [call, fault] of triedOf(calls)) {
      const what = `${fault}: ${call.tool}, call ${call.at}`;
      const { code, stdout, stderr } = await update(call, fault);
      await host.faults.clear();
      if (code !== 0 && !isKill(fault)) {
        expect(await host.hash(), what).not.toBe(current);
        expect(await host.isConnected(), `${what}: ${stdout}${stderr}`).toBe(true);
      }
      if (code !== 0) expect(await host.paste(await host.line()), what).toMatchObject({ code: 0 });
      expect(await host.hash(), what).toBe(current);
      expect(await host.isConnected(), what).toBe(true);
      await host.uninstall();
    }
  });
});

type Host = Awaited<ReturnType<typeof createHost>>;

const isKill = (fault: ToolFault) => fault === "killsCaller" || fault === "killsAll";

/** Each call with each fault; or some of them, with one of the faults in turn. */
function triedOf(calls: readonly ToolCall[]): readonly (readonly [ToolCall, ToolFault])[] {
  if (hasAll) return calls.flatMap((call) => TOOL_FAULTS.map((fault) => [call, fault] as const));
  const some = calls.filter((_, n) => n % 3 === 2);
  return some.map((call, n) => [call, TOOL_FAULTS[n % TOOL_FAULTS.length] ?? "fails"] as const);
}

/** The status says whether the host is connected, and the same line installs it in the end. */
async function survives(host: Host, call: ToolCall, fault: ToolFault): Promise<void> {
  const what = `${fault}: ${call.tool}, call ${call.at}`;
  const line = await host.line();
  await host.faults.plan(fault, call);
  const { code, stdout, stderr } = await host.paste(line);
  await host.faults.clear();
  const changed = await host.changed();
  if (code !== 0 && !isKill(fault)) expect(changed, `${what}: ${stdout}${stderr}`).toEqual([]);
  if (code !== 0 && changed.length > 0) {
    const again = await host.paste(line);
    expect(again, `${what}: ${again.stdout}${again.stderr}`).toMatchObject({ code: 0 });
  }
  if (code === 0 || changed.length > 0) {
    expect(await host.isConnected(), what).toBe(true);
    await host.uninstall();
  }
  expect(await host.changed(), what).toEqual([]);
}

/** A machine with wrapped tools, on which Node runs the agent: that is small, hence quick. */
async function createHost(backend: RunningBackend, init: InitName) {
  await using opened = new AsyncDisposableStack();
  const system = opened.use(await bootSystemd({ shareNetwork: true, init }));
  await system.writeFile("/usr/bin/node", await readFile(process.execPath), "0755");
  const uuid = await system.readFile("/proc/sys/kernel/random/uuid");
  const id = uuid.trim().replaceAll("-", "") as ClientId;
  await system.exec("tee", ["/etc/machine-id"], { input: `${id}\n` });
  await system.exec("install", ["-d", "-m", "700", STATE]);
  for (const tool of SERVICE_TOOLS) {
    const { stdout } = await system.exec("sh", ["-c", `command -v ${tool}`]);
    if (stdout === "") continue;
    await system.writeFile(`${TOOLS}/${tool}`, faultyTool(tool, stdout.trim(), STATE), "0755");
  }
  const tree = () => wholeTree(system, [TOOLS], PLACES);
  const before = await tree();
  const faults = new ToolFaults({
    state: STATE,
    sh: async (script) => (await system.exec("sh", ["-c", script])).stdout,
  });
  const closing = opened.move();
  return {
    faults,
    line: async () => withFlags(curlLine(await newPairing(backend)), "--runtime node"),
    /** In a group of processes of its own, as at a terminal. */
    paste: (line: string) =>
      system.exec("setsid", ["--wait", "sh", "-c", line], { timeoutMs: INSTALL_MS }),
    changed: async () => {
      const after = await tree();
      const paths = new Set([...Object.keys(before), ...Object.keys(after)]);
      return [...paths].filter((path) => before[path] !== after[path]);
    },
    hash: async () => (await system.exec("sha256sum", [BUNDLE])).stdout,
    isConnected: async () => (await system.exec(PROGRAM, ["status"])).code === 0,
    /** Without the server's record, so that it may come again as itself. */
    uninstall: async () => {
      expect(await system.exec(PROGRAM, ["uninstall"])).toMatchObject({ code: 0 });
      await eventually(() => backend.api("deleteClient", { params: { clientId: id } }));
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
