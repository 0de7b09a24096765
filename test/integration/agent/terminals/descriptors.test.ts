import { readdir } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { BUILT_AGENTS, builtAgent } from "../../../support/agents/builtAgent.ts";
import { HostViewer } from "../../../support/agents/hostViewer.ts";
import { startTerminalHost } from "../../../support/agents/terminalHost.ts";
import { eventually } from "../../../support/eventually.ts";

const DESCRIPTORS = 48;
const MANY = 32;
const BACK_MS = 15_000;

beforeAll(async () => void (await builtAgent()), 600_000);

describe.each(BUILT_AGENTS)(
  "an agent $name with few descriptors",
  { timeout: 120_000 },
  ({ program }) => {
    it.skipIf(process.platform !== "linux")(
      "says so where it can open no more terminals, and loses none by it",
      async () => {
        const [first, ...rest] = program.command;
        const limited = ["/usr/bin/prlimit", `--nofile=${DESCRIPTORS}`, "--", first, ...rest];
        const command = limited as [string, ...string[]];
        await using host = await startTerminalHost({ ...program, command }, { max: MANY });
        const descriptors = async () => (await readdir(`/proc/${host.agent.pid}/fd`)).length;
        await ended([await HostViewer.open(host.session)]);
        const before = await descriptors();
        for (let round = 0; round < 3; round += 1) {
          const { open, reasons } = await asMany(host.session);
          expect(open.length).toBeGreaterThan(2);
          expect(reasons).not.toEqual([]);
          for (const reason of reasons) expect(reason).toContain("as many files and connections");
          await ended(open);
        }
        await eventually(
          async () => expect(await descriptors()).toBeLessThanOrEqual(before),
          BACK_MS,
        );
      },
    );
  },
);

/** Asks for many, and tells which came and why the others did not. */
async function asMany(session: Parameters<typeof HostViewer.open>[0]) {
  const open: HostViewer[] = [];
  const reasons: string[] = [];
  for (let count = 0; count < MANY; count += 1) {
    try {
      open.push(await HostViewer.open(session));
    } catch (error) {
      reasons.push(String(error));
    }
  }
  return { open, reasons };
}

async function ended(viewers: readonly HostViewer[]): Promise<void> {
  for (const viewer of viewers) viewer.send({ kind: "close" });
  for (const viewer of viewers) await viewer.untilEnded();
}
