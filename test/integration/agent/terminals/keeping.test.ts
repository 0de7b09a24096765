import { createRequire } from "node:module";
import { FEATURES } from "@rport/protocol/agent";
import { TERMINAL, TERMINAL_CHANNEL } from "@rport/protocol/terminal/terminal";
import { describe, expect, it } from "vitest";
import { platformOf } from "../../../../agent/src/machine/platformOf.ts";
import { createLog } from "../../../../agent/src/platform/log.ts";
import { nodePty, type PtyLibrary } from "../../../../agent/src/terminal/nodePty.ts";
import { openTerminals } from "../../../../agent/src/terminal/openTerminals.ts";
import { HostViewer, openingOf } from "../../../support/agents/hostViewer.ts";
import { FakeClock } from "../../../support/clock.ts";
import { eventually } from "../../../support/eventually.ts";
import { connectPair } from "../../../support/wire/wirePair.ts";

/** Where npm has no library for this machine, the executable alone has terminals. */
function library(): PtyLibrary | undefined {
  try {
    return createRequire(import.meta.url)("@lydell/node-pty-linux-x64/pty.node");
  } catch {
    return undefined;
  }
}

const LIBRARY = library();

/** The terminals of a host on a clock that stands still, and a server that opens them. */
async function startKeeping(
  settings: Partial<Parameters<typeof openTerminals>[0]["settings"]> = {},
) {
  if (LIBRARY === undefined) throw new Error("there is no library");
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = createLog({ level: "debug", clock, write: (line) => void lines.push(line) });
  const open = nodePty(LIBRARY);
  const terminals = await openTerminals({
    settings: { isAllowed: true, accounts: [], max: 16, idleMs: 0, shell: "/bin/sh", ...settings },
    shells: platformOf(process.platform).shells,
    findPty: () => ({ open }),
    clock,
    log,
  });
  const pair = await connectPair({
    client: { onOpen: (_type, extra) => terminals.decide(extra) },
  });
  const told: string[] = [];
  terminals.listen({
    tellEnd: async ({ ended }) => {
      told.push(ended?.end.how ?? "");
      return true;
    },
    settle: async () => {},
  });
  return {
    clock,
    terminals,
    lines,
    told,
    /** What a viewer needs of a server. */
    session: { connection: pair.server },
    async [Symbol.asyncDispose]() {
      const stopped = terminals.stop();
      await eventually(() => {
        clock.advance(1_000);
        expect(terminals.list()).toEqual([]);
      });
      await stopped;
      await pair[Symbol.asyncDispose]();
    },
  };
}

describe.skipIf(LIBRARY === undefined)("a host keeps a terminal", () => {
  it("for five minutes without a viewer, and not longer", async () => {
    await using host = await startKeeping();
    const viewer = await HostViewer.open(host.session);
    viewer.channel.destroy();
    await eventually(() => expect(host.clock.timers).toBeGreaterThan(0));
    host.clock.advance(TERMINAL.keepMs - 1);
    const again = await viewer.again(host.session);
    host.clock.advance(TERMINAL.keepMs);
    again.channel.destroy();
    await eventually(() => {
      host.clock.advance(TERMINAL.keepMs);
      expect(host.told).toEqual(["left"]);
    });
    await expect(again.again(host.session)).rejects.toThrow(/no such terminal/);
  });

  it("as long as something happens in it, where it is to end when nothing does", async () => {
    await using host = await startKeeping({ idleMs: 60_000 });
    const viewer = await HostViewer.open(host.session);
    await viewer.type("echo one-$((1 + 1))\r");
    await viewer.untilText("one-2");
    host.clock.advance(59_000);
    expect(viewer.ended).toBeUndefined();
    await viewer.type("echo two-$((1 + 1))\r");
    await viewer.untilText("two-2");
    host.clock.advance(59_000);
    expect(viewer.ended).toBeUndefined();
    host.clock.advance(2_000);
    expect(await viewer.untilEnded()).toEqual({ how: "idle" });
  });

  it("for who comes back after its end: the last output, and how it ended", async () => {
    await using host = await startKeeping();
    const viewer = await HostViewer.open(host.session);
    await viewer.type("read -r line; echo last-$((1 + 1)); exit 5\r");
    await viewer.untilText("exit 5");
    await viewer.type("\r");
    viewer.channel.destroy();
    await eventually(() => expect(host.told).toEqual(["exit"]));
    const again = await viewer.again(host.session, viewer.outputEnd);
    expect(await again.untilEnded()).toEqual({ how: "exit", code: 5 });
    expect(viewer.text + again.text).toContain("last-2");
    await expect(again.again(host.session)).rejects.toThrow(/no such terminal/);
  });

  it("for one viewer: who comes later takes it over, with all that is kept", async () => {
    await using host = await startKeeping();
    const first = await HostViewer.open(host.session);
    await first.type("echo first-$((1 + 1))\r");
    await first.untilText("first-2");
    const second = await first.again(host.session);
    await first.until("the first to be closed", () => first.isClosed);
    expect(first.ended).toBeUndefined();
    await second.untilText("first-2");
    expect(second.attached).toMatchObject({ outputFrom: 0, liveFrom: first.outputEnd });
    await second.type("echo second-$((1 + 1))\r");
    await second.untilText("second-2");
  });

  it("for its owner alone, and tells others that there is none", async () => {
    await using host = await startKeeping();
    const viewer = await HostViewer.open(host.session);
    const { id } = viewer.opening;
    const wish = { kind: "resume", id };
    const other = HostViewer.open(host.session, { id, owner: "account-2", wish });
    await expect(other).rejects.toThrow("this host has no such terminal any more");
    await expect(HostViewer.open(host.session, { id })).rejects.toThrow(/of this id/);
  });

  it("beside as many as its configuration allows, and refuses the next in words", async () => {
    await using host = await startKeeping({ max: 2 });
    const first = await HostViewer.open(host.session);
    await HostViewer.open(host.session);
    const third = () => HostViewer.open(host.session);
    await expect(third()).rejects.toThrow(/has 2 terminals, and its rport.conf allows no more/);
    await first.type("exit\r");
    await first.untilEnded();
    await third();
  });

  it("whose processes are killed a moment after they were hung up", async () => {
    await using host = await startKeeping();
    const viewer = await HostViewer.open(host.session);
    await viewer.type("trap '' HUP; echo pid-$$-\r");
    await viewer.until("the process", () => /pid-\d+-/.test(viewer.text));
    const pid = Number(/pid-(\d+)-/.exec(viewer.text)?.[1]);
    viewer.send({ kind: "close" });
    expect(await viewer.untilEnded()).toEqual({ how: "closed" });
    expect(() => process.kill(pid, 0)).not.toThrow();
    host.clock.advance(1_000);
    await eventually(() => expect(() => process.kill(pid, 0)).toThrow(/ESRCH/));
    await eventually(() => expect(host.told).toEqual(["closed"]));
  });

  it("refuses nonsense, and closes whoever says what a viewer does not say", async () => {
    await using host = await startKeeping();
    const garbage = host.session.connection.open(TERMINAL_CHANNEL, Buffer.from("{"));
    await expect(garbage).rejects.toThrow(/cannot be read/);
    const viewer = await HostViewer.open(host.session);
    viewer.send({ kind: "inputTaken", offset: 0 });
    await viewer.until("the channel to close", () => viewer.isClosed);
    expect(host.lines.join("")).toContain("a viewer says no inputTaken");
    expect(openingOf().id).toHaveLength(22);
    expect(FEATURES.terminal).toBe("terminal");
  });
});
