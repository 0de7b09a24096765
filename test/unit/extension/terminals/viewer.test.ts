import { TERMINAL } from "@rport/protocol/terminal/terminal";
import { describe, expect, it } from "vitest";
import { INPUT_MAX_BYTES } from "../../../../extension/src/terminals/inputQueue.ts";
import { FakeHost } from "./fakeHost.ts";
import { settled, view } from "./viewerFixture.ts";

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const letters = (length: number) =>
  "abcdefghijklmnopqrstuvwxyz".repeat(length / 26 + 1).slice(0, length);

describe("a viewer of a terminal", () => {
  it("shows what comes at once, and gathers what follows within milliseconds", async () => {
    const { host, clock, screen } = await view();
    host.write("$ ");
    expect(screen()).toBe("$ ");
    host.write("l");
    host.write("s");
    expect(screen()).toBe("$ ");
    clock.advance(6);
    expect(screen()).toBe("$ ls");
    expect(host.shown).toBe(4);
  });

  it("shows a character whole whose bytes come apart", async () => {
    const { host, clock, screen } = await view();
    for (const byte of Buffer.from("ä\u{1F600}")) {
      host.write(Buffer.from([byte]));
      clock.advance(6);
    }
    expect(screen()).toBe("ä\u{1F600}");
  });

  it("sends what is typed, and confirms output only after the terminal had it", async () => {
    const { host, viewer } = await view();
    expect(host.openings).toEqual([
      { size: { cols: 80, rows: 24 }, wish: { kind: "new", env: { TERM: "xterm-256color" } } },
    ]);
    viewer.type("echo ü\r");
    expect(Buffer.from(host.read, "latin1").toString()).toBe("echo ü\r");
  });

  it("has a host wait that is faster than the terminal", async () => {
    const { host, viewer, clock, screen, asked } = await view();
    const all = letters(1 << 20);
    host.write(all);
    clock.advance(100);
    expect(screen().length).toBeLessThanOrEqual(TERMINAL.outputWindowBytes + (64 << 10));
    for (let round = 0; round < 100 && screen().length < all.length; round += 1) {
      const before = screen().length;
      expect(asked()).toBeGreaterThan(0);
      viewer.type("\u001B[0n");
      clock.advance(6);
      expect(screen().length - before).toBeLessThanOrEqual(128 << 10);
    }
    expect(screen()).toBe(all);
    expect(host.read).toBe("");
  });

  it("goes on without answers of a terminal that gives none", async () => {
    const { host, clock, screen } = await view();
    const all = letters(1 << 20);
    host.write(all);
    clock.advance(2_100);
    clock.advance(1_000);
    expect(screen()).toBe(all);
  });

  it("leaves programs the answers to their own questions", async () => {
    const { host, viewer, clock } = await view();
    host.write("\u001B[5n");
    host.write(letters(64 << 10));
    clock.advance(6);
    viewer.type("\u001B[0n");
    expect(host.read).toBe("\u001B[0n");
    viewer.type("\u001B[0n");
    expect(host.read).toBe("\u001B[0n");
  });

  it("sends a long paste as the host reads it, and the rest after a cut", async () => {
    const { host, viewer, clock } = await view();
    host.isReading = false;
    const paste = letters(1 << 20);
    expect(viewer.type(paste)).toBe(true);
    expect(host.read).toBe("");
    host.readOn();
    expect(host.read).toBe(paste);

    host.isReading = false;
    viewer.type(paste);
    host.cut();
    clock.advance(500);
    await settled();
    host.readOn();
    expect(host.read).toBe(paste + paste);
  });

  it("has Ctrl+C go ahead of a paste, and throw the rest of it away", async () => {
    const { host, viewer } = await view();
    host.isReading = false;
    viewer.type(letters(1 << 20));
    viewer.type("\u0003");
    expect(host.read).toBe("\u0003");
    host.readOn();
    viewer.type("ls\r");
    expect(host.read).toBe("\u0003ls\r");
  });

  it("has Ctrl+C go ahead also by its number, in the form that each program and terminal knows", async () => {
    const { host, viewer } = await view();
    host.isReading = false;
    viewer.type(letters(1 << 20));
    viewer.type("\u001B[99;5u");
    viewer.type("\u001B[99;5:3u");
    expect(host.read).toBe("\u0003");
    host.readOn();
    expect(host.read).toBe("\u0003\u001B[99;5:3u");
    viewer.type("\u001B[99;5u");
    expect(host.read.endsWith("\u001B[99;5u")).toBe(true);
  });

  it("has Ctrl+C go ahead also when it was on its way in a cut", async () => {
    const { host, viewer, clock } = await view();
    host.isReading = false;
    viewer.type(letters(1 << 20));
    host.cut();
    viewer.type("\u0003");
    viewer.type("ls\r");
    clock.advance(500);
    await settled();
    host.readOn();
    expect(host.read).toBe("\u0003ls\r");
  });

  it("waits with Ctrl+C behind a few keys, which a program may mean", async () => {
    const { host, viewer } = await view();
    host.isReading = false;
    viewer.type("\u0018");
    viewer.type("\u0003");
    host.readOn();
    expect(host.read).toBe("\u0018\u0003");
  });

  it("takes no more input than anybody means", async () => {
    const { host, viewer } = await view();
    host.isReading = false;
    expect(viewer.type("x".repeat(INPUT_MAX_BYTES))).toBe(true);
    expect(viewer.type("y")).toBe(false);
    expect(viewer.type("\u0003")).toBe(true);
    expect(host.read).toBe("\u0003");
  });

  it("loses and doubles nothing in a cut, and says that it is cut", async () => {
    const { host, viewer, clock, states, screen } = await view();
    host.write("before ");
    clock.advance(6);
    host.cut();
    expect(states.at(-1)).toEqual({ kind: "waiting", reason: "It was cut." });
    host.write("meanwhile ");
    viewer.type("typed");
    clock.advance(500);
    await settled();
    host.write("after");
    clock.advance(6);
    expect(host.openings.at(-1)?.wish).toEqual({ kind: "resume", id: host.id, from: 7 });
    expect(screen()).toBe("before meanwhile after");
    expect(host.read).toBe("typed");
    expect(states.map(({ kind }) => kind)).toEqual([
      ...["connecting", "attached", "waiting", "connecting", "attached"],
    ]);
  });

  it("tries less and less often, and soon when there is a reason to hope", async () => {
    const { host, viewer, clock, states } = await view();
    host.isUp = false;
    host.cut();
    const tries = () => states.filter(({ kind }) => kind === "connecting").length;
    for (const wait of [500, 1_000, 2_000, 4_000]) {
      const before = tries();
      clock.advance(wait - 1);
      expect(tries()).toBe(before);
      clock.advance(1);
      await settled();
      expect(tries()).toBe(before + 1);
    }
    host.isUp = true;
    viewer.nudge();
    clock.advance(1_000);
    await settled();
    expect(viewer.state.kind).toBe("attached");
    viewer.nudge();
    expect(host.checks).toBe(1);
  });

  it("says how much is gone that the host has not kept", async () => {
    const { host, clock, screen } = await view();
    host.write("0123456789");
    clock.advance(6);
    host.cut();
    host.write("0123456789");
    host.forgetBefore(15);
    clock.advance(500);
    await settled();
    expect(screen()).toBe("0123456789\r\n[5 bytes of output were lost]\r\n56789");
  });

  it.each([
    ["in time", 0],
    ["late, in a busy window", 10_000],
  ])(
    "shows a terminal of before with all that is kept, and answers nothing again that was asked then: %s",
    async (_when, afterMs) => {
      const before = new FakeHost();
      before.write("\u001B[6n\u001B[cvim");
      const resumed = await view(({ id }) => ({ kind: "resume", id }), before);
      const { host, viewer, screen } = resumed;
      expect(host.openings[0]?.wish).toEqual({ kind: "resume", id: host.id });
      expect(screen()).toBe("\u001B[6n\u001B[cvim");
      resumed.clock.advance(afterMs);
      viewer.type("\u001B[1;1R");
      viewer.type("\u001B[?1;2c");
      viewer.type("\u001B[?0u");
      resumed.answer();
      expect(host.read).toBe("");
      viewer.type("\u001B[1;1R");
      viewer.type("x");
      expect(host.read).toBe("\u001B[1;1Rx");
    },
  );

  it("tells the size when it changes, and the one it has when it comes back", async () => {
    const { host, viewer, clock } = await view();
    viewer.resize({ cols: 80, rows: 24 });
    viewer.resize({ cols: 100, rows: 30 });
    expect(host.others).toEqual([{ kind: "resize", cols: 100, rows: 30 }]);
    host.cut();
    viewer.resize({ cols: 120, rows: 40 });
    clock.advance(500);
    await settled();
    expect(host.openings.at(-1)?.size).toEqual({ cols: 120, rows: 40 });
  });

  it("ends when the program did, after its last output", async () => {
    const { host, viewer, clock, screen } = await view();
    host.write("one");
    host.write("two");
    host.tell({ kind: "ended", json: json({ how: "exit", code: 3 }) });
    expect(screen()).toBe("onetwo");
    expect(viewer.state).toEqual({
      kind: "over",
      end: { kind: "ended", end: { how: "exit", code: 3 } },
    });
    expect(host.isJoined).toBe(false);
    expect(clock.timers).toBe(0);
  });

  it.each([
    { kind: "refused", reason: "There is no such terminal." } as const,
    { kind: "takenOver" } as const,
  ])("does not come back when it is %o", async (end) => {
    const { host, viewer, clock } = await view();
    host.cut(end);
    expect(viewer.state).toEqual({ kind: "over", end });
    expect(clock.timers).toBe(0);
  });

  it("begins no second shell by itself when the first was never told of", async () => {
    const host = new FakeHost();
    host.isUp = false;
    const { viewer } = await view(undefined, host);
    expect(viewer.state).toEqual({
      kind: "over",
      end: { kind: "refused", reason: "There is no way." },
    });
  });

  it("comes back for a terminal of before as often as it takes", async () => {
    const host = new FakeHost();
    host.isUp = false;
    const { viewer, clock } = await view(({ id }) => ({ kind: "resume", id }), host);
    expect(viewer.state.kind).toBe("waiting");
    host.isUp = true;
    clock.advance(500);
    await settled();
    expect(viewer.state.kind).toBe("attached");
  });

  it("leaves the terminal at the host, or ends it, as is wanted", async () => {
    const left = await view();
    left.viewer.detach();
    expect(left.host.others).toEqual([]);
    const closed = await view();
    closed.viewer.close();
    expect(closed.host.others).toEqual([{ kind: "close" }]);
    expect(closed.viewer.state).toEqual({ kind: "over", end: { kind: "left" } });
    closed.viewer.type("x");
    closed.viewer.nudge();
    expect(closed.host.read).toBe("");
  });

  it("does not take for a host what says nothing that it knows", async () => {
    const { host, viewer } = await view();
    host.tell({ kind: "attached", json: Buffer.from("{") });
    expect(viewer.state.kind).toBe("over");
  });
});
