import { FEATURES } from "@rport/protocol/agent";
import { TERMINAL, TERMINAL_CHANNEL } from "@rport/protocol/terminal/terminal";
import { describe, expect, it } from "vitest";
import { HostViewer, openingOf } from "../../../support/agents/hostViewer.ts";
import { LIBRARY, startKeeping } from "../../../support/agents/keptTerminals.ts";
import { shellScript } from "../../../support/agents/terminalHost.ts";
import { eventually } from "../../../support/eventually.ts";

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

  it("that has ended no longer than there is room: the first to end goes first", async () => {
    await using host = await startKeeping({ max: 2 });
    const viewers: HostViewer[] = [];
    for (const code of [1, 2, 3]) {
      const viewer = await HostViewer.open(host.session);
      viewers.push(viewer);
      await viewer.type(`read -r line; exit ${code}\r`);
      await viewer.untilText("exit");
      await viewer.type("\r");
      viewer.channel.destroy();
      await eventually(() => expect(host.told).toHaveLength(code));
    }
    const [first, second, third] = viewers;
    await expect(first?.again(host.session)).rejects.toThrow(/no such terminal/);
    expect(host.lines.join("")).toContain("the last output of a terminal was forgotten");
    for (const [viewer, code] of [[second, 2] as const, [third, 3] as const]) {
      const again = await viewer?.again(host.session);
      expect(await again?.untilEnded()).toEqual({ how: "exit", code });
    }
  });

  it("that has ended not beyond its own stop", async () => {
    await using host = await startKeeping();
    const viewer = await HostViewer.open(host.session);
    await viewer.type("read -r line; exit 5\r");
    await viewer.untilText("exit 5");
    await viewer.type("\r");
    viewer.channel.destroy();
    await eventually(() => expect(host.told).toEqual(["exit"]));
    expect(host.clock.timers).toBe(1);
    await host.terminals.stop();
    expect(host.clock.timers).toBe(0);
  });

  it("which an urgent key reaches once, and before what the program has not read", async () => {
    await using script = await shellScript(
      `stty -icanon isig -echo
n=0
trap 'n=$((n + 1)); echo "interrupt $n"' INT
echo ready
until [ $n -gt 0 ]; do sleep 1000; done
read -r line
echo "count=$n line=$line"`,
    );
    await using host = await startKeeping({ shell: script.path });
    const viewer = await HostViewer.open(host.session);
    await viewer.untilText("ready");
    await viewer.type(Buffer.alloc(40_000, "line of a paste\r"));
    const unconfirmed = () => viewer.inputEnd - (viewer.taken.at(-1) ?? 0);
    await eventually(() => expect(unconfirmed()).toBeLessThan(40_000));
    viewer.urge("\x03");
    await viewer.untilText("interrupt 1");
    host.clock.advance(1_000);
    await viewer.type("what was typed behind it\r");
    await viewer.untilText("count=1 line=what was typed behind it");
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
