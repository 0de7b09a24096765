import { FRAME_DATA_BYTES, type Frame } from "@rport/protocol/terminal/frame";
import { TERMINAL } from "@rport/protocol/terminal/terminal";
import { describe, expect, it } from "vitest";
import { FakeHost } from "./fakeHost.ts";
import { settled, view } from "./viewerFixture.ts";

/** What is said of a host, or a server in its place, that does what no host does. */
const BROKEN = {
  kind: "over",
  end: {
    kind: "refused",
    reason: "What the host or its server sent breaks the rules of terminals.",
  },
};
const BYTES = Buffer.alloc(FRAME_DATA_BYTES, "x");

function attached(host: FakeHost, changes: object = {}): Frame {
  const { id } = host;
  const told = { id, account: "root", shell: "/bin/sh", startedAtMs: 1, outputFrom: 0 };
  const json = JSON.stringify({ ...told, inputTaken: 0, ...changes });
  return { kind: "attached", json: Buffer.from(json) };
}

const output = (offset: number, bytes = BYTES): Frame => ({ kind: "output", offset, bytes });

describe("a viewer of a host, or of a server in its place, that keeps to no rule", () => {
  it("S-53: takes no more than twice the window that nobody has confirmed, and says why it ends", async () => {
    const { host, viewer, screen, states } = await view();
    let sent = 0;
    for (let count = 0; count < 1_000; count += 1) {
      host.tell(output(sent));
      sent += BYTES.length;
    }
    // the first frame is confirmed at once
    expect(screen().length).toBeLessThanOrEqual(2 * TERMINAL.outputWindowBytes + BYTES.length);
    expect(viewer.state).toEqual(BROKEN);
    expect(host.cuts).toBe(1);
    expect(states).toHaveLength(3);
  });

  it.each<readonly [string, readonly Frame[]]>([
    ["output goes back", [output(0), output(0)]],
    ["output leaves something out", [output(1)]],
    ["output has no byte", [output(0, Buffer.alloc(0))]],
    ["input is confirmed that was not sent", [{ kind: "inputTaken", offset: 3 }]],
    ["input is confirmed less than before", [taken(2), taken(1)]],
    ["input is confirmed again", [taken(2), taken(2)]],
    ["it says what viewers say", [{ kind: "close" }]],
    ["it says a size", [{ kind: "resize", cols: 80, rows: 24 }]],
  ])("S-53: ends where %s", async (_, frames) => {
    const { host, viewer, clock } = await view();
    host.isReading = false;
    viewer.type("ls");
    for (const frame of frames) host.tell(frame);
    expect(viewer.state).toEqual(BROKEN);
    expect(host.cuts).toBe(1);
    expect(clock.timers).toBe(0);
  });

  it("S-53: hears once on a link where it goes on, however often that is said", async () => {
    const { host, viewer, states, screen } = await view();
    for (let count = 1; count <= 100; count += 1) {
      host.tell(attached(host, { outputFrom: count * 1_000 }));
    }
    expect(viewer.state).toEqual(BROKEN);
    expect(states.map(({ kind }) => kind)).toEqual(["connecting", "attached", "over"]);
    expect(screen()).toBe("");
  });

  it("S-53: hears of one end, and of nothing behind it", async () => {
    const { host, states, screen } = await view();
    const ended: Frame = { kind: "ended", json: Buffer.from(`{"how":"stopped"}`) };
    for (const frame of [ended, ended, attached(host), output(0)]) host.tell(frame);
    expect(states.filter(({ kind }) => kind === "over")).toHaveLength(1);
    expect(screen()).toBe("");
  });

  it("S-53: ends where output begins before what it has, or it is given numbers that no terminal reaches", async () => {
    const back = await view();
    back.host.write("0123456789");
    back.host.cut();
    back.host.answer = (host) => attached(host, { outputFrom: 9 });
    back.clock.advance(500);
    await settled();
    expect(back.viewer.state).toEqual(BROKEN);
    for (const changes of [{ outputFrom: 2 ** 48 }, { inputTaken: 2 ** 48 }]) {
      const host = new FakeHost();
      host.answer = (each) => attached(each, changes);
      const { viewer } = await view(undefined, host);
      expect(viewer.state.kind).toBe("over");
    }
  });

  it("S-53: is dialled less and less often when it lets a viewer in and cuts the link, also when there is hope", async () => {
    const { host, viewer, clock } = await view();
    const spend = async (seconds: number) => {
      for (let count = 0; count < seconds * 10; count += 1) {
        host.cut();
        viewer.nudge();
        clock.advance(100);
        await settled();
      }
    };
    await spend(10);
    expect(host.openings.length).toBeLessThanOrEqual(12);
    const before = host.openings.length;
    for (let count = 0; count < 600; count += 1) {
      host.cut();
      clock.advance(100);
      await settled();
    }
    expect(host.openings.length - before).toBeLessThanOrEqual(5);
    // one that lasts is as good as the first
    clock.advance(30_000);
    await settled();
    clock.advance(10_000);
    host.cut();
    const lasted = host.openings.length;
    clock.advance(500);
    await settled();
    expect(host.openings).toHaveLength(lasted + 1);
  });
});

function taken(offset: number): Frame {
  return { kind: "inputTaken", offset };
}
