import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  faultyTool,
  SCRIPT_TOOLS,
  TOOL_FAULTS,
  type ToolCall,
  type ToolFault,
  ToolFaults,
} from "../support/installer/faultyTools.ts";
import { runInstaller } from "../support/installer/runInstaller.ts";
import { type StubRelease, stubAgent, stubRelease } from "../support/installer/stubRelease.ts";
import { run } from "../support/systemd/process.ts";

/** What a machine may have: what fetches, what hashes, what unpacks. Everything else is the same. */
const MACHINES = [
  { name: "curl, sha256sum and gzip", lacks: ["wget", "shasum", "openssl", "xz"], tries: /./ },
  {
    name: "wget, openssl and xz",
    lacks: ["curl", "shasum", "sha256sum", "gzip"],
    tries: /^(wget|openssl|xz)$/,
  },
];
/** Whatever they fail to do after they did it is not what this is about. */
const LATE_IS_HARMLESS = ["mktemp", "rm"];

describe.each(MACHINES)("PAIR-26: a host with $name", ({ lacks, tries }) => {
  test.each(TOOL_FAULTS)("on which one call of a tool %s", async (fault) => {
    await using release = await stubRelease((directory) => [
      {
        target: "linux-x64",
        name: "rport-agent-linux-x64",
        content: stubAgent(directory),
        packed: ["xz", "gz"],
      },
    ]);
    const host = await createHost(release, lacks);
    expect(await host.install()).toMatchObject({ code: 0, left: [], stderr: expect.any(String) });
    const calls = (await host.faults.calls()).filter(({ tool }) => tries.test(tool));
    expect(calls.length).toBeGreaterThanOrEqual(4);
    for (const call of calls) await survives(host, fault, call);
  });
});

type Host = Awaited<ReturnType<typeof createHost>>;

/** The status tells whether the agent was installed, nothing is left, and the next run works. */
async function survives(host: Host, fault: ToolFault, call: ToolCall): Promise<void> {
  const what = `${fault}: ${call.tool}, call ${call.at}`;
  await host.forget();
  await host.faults.plan(fault, call);
  const { code, left } = await host.install();
  await host.faults.clear();
  const isInstalled = (await host.release.call()) !== undefined;
  if (code === 0) expect(isInstalled, what).toBe(true);
  const isKilled = fault === "killsCaller" || fault === "killsAll";
  const isOwn = fault !== "interrupts" && LATE_IS_HARMLESS.includes(call.tool);
  if (!isKilled && !isOwn) {
    expect(left, what).toEqual([]);
    // What was installed is not called a failure, unless somebody wanted it to end.
    if (fault !== "interrupts") expect(code === 0, what).toBe(isInstalled);
  }
  if (code === 0) return;
  await host.forget();
  expect(await host.install(), what).toMatchObject({ code: 0, left: [] });
}

/** All its tools are wrapped, and it has no others. */
async function createHost(release: StubRelease, lacks: readonly string[]) {
  const tools = join(release.directory, "tools");
  const state = join(release.directory, "state");
  for (const folder of [tools, state]) await mkdir(folder);
  const list = `for tool in ${SCRIPT_TOOLS.join(" ")}; do command -v $tool; done`;
  const found = await run("sh", ["-c", list]);
  for (const path of found.stdout.trim().split("\n")) {
    const tool = path.slice(path.lastIndexOf("/") + 1);
    if (lacks.includes(tool)) continue;
    await writeFile(join(tools, tool), faultyTool(tool, path, state));
    await chmod(join(tools, tool), 0o755);
  }
  const faults = new ToolFaults({
    state,
    sh: async (script) => (await run("sh", ["-c", script])).stdout,
  });
  // A group of processes of its own, for what happens to all of them.
  const shell = ["/usr/bin/setsid", "--wait", "/bin/sh"];
  return {
    release,
    faults,
    install: () => runInstaller(release, ["--token-stdin"], { shell, path: tools }),
    forget: () => rm(join(release.directory, "called", "args"), { force: true }),
  };
}
