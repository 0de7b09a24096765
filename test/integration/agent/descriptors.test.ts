import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { clientIdSchema } from "@rport/protocol/ids";
import { beforeAll, describe, expect, it } from "vitest";
import { FROM_SOURCES, spawnAgent } from "../../support/agents/agent.ts";
import { startAgentSide } from "../../support/agents/agentSide.ts";
import { builtAgent } from "../../support/agents/builtAgent.ts";
import { eventually } from "../../support/eventually.ts";
import { tcpServer } from "../../support/wire/wireTunnel.ts";

const run = promisify(execFile);
const fromHere = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const SOURCES = { how: "from its sources", program: FROM_SOURCES };
const EXECUTABLE = {
  how: "as an executable",
  program: { command: [fromHere("dist/agent/rport-agent-linux-x64")] as const },
};
/** Where Bun does not run, there is no executable. */
const AGENTS = existsSync(fromHere("node_modules/@oven/bun-linux-x64"))
  ? [SOURCES, EXECUTABLE]
  : [SOURCES];
const ID = clientIdSchema.parse("short-of-descriptors");

/** Leaves the process no descriptor more than it has. */
async function exhaust(pid: number): Promise<void> {
  const open = await readdir(`/proc/${pid}/fd`);
  // The limit is about the number of the next descriptor, which is the lowest that is free.
  await run("prlimit", ["--pid", String(pid), `--nofile=${Math.min(...missing(open))}:`]);
}

function missing(open: readonly string[]): number[] {
  const numbers = new Set(open.map(Number));
  return [...Array(numbers.size + 1).keys()].filter((one) => !numbers.has(one));
}

beforeAll(async () => void (await builtAgent()), 300_000);

describe.each(AGENTS)("F-16 an agent without descriptors, $how", ({ program }) => {
  it("says so itself, instead of blaming the target or the network", async () => {
    await using side = await startAgentSide();
    await using target = await tcpServer((socket) => void socket.resume());
    await using agent = await spawnAgent({ server: side.url, client: { id: ID } }, program);
    await eventually(() => expect(side.presence.connected(ID)).toBeDefined(), 15_000);
    const remote = `127.0.0.1:${target.port}`;
    const tunnel = await side.tunnels.create(ID, { remote }, { owner: "ann" });
    // one that a file had at that moment is free again when it is written, and goes to the next target
    await eventually(async () => {
      await exhaust(agent.pid);
      connect(Number(tunnel.lport), "127.0.0.1").on("error", () => {});
      await eventually(() => expect(agent.log()).toContain("a tunnel target did not answer"), 500);
    });
    expect(agent.log()).toMatch(/did not answer.*as many files and connections open as it may/);
    expect(agent.log()).not.toContain("ECONNREFUSED");
    await run("prlimit", ["--pid", String(agent.pid), "--nofile=1024:"]);
    expect(side.presence.connected(ID)).toBeDefined();
  });
});
