import type { TerminalWish } from "@rport/protocol/terminal/terminal";
import { describe, expect, it } from "vitest";
import { Session } from "../../../../extension/src/terminals/session.ts";
import { FakeClock } from "../../../support/clock.ts";
import { FakeHost } from "./fakeHost.ts";
import { settled } from "./viewerFixture.ts";

const NEW: TerminalWish = { kind: "new", env: { TERM: "xterm-256color" } };
const SIZE = { cols: 80, rows: 24 };
/** Longer than keys that were meant for the program come behind its end. */
const LATER_MS = 1_000;

/** A terminal of the window with a host behind it. */
async function session(wish?: (host: FakeHost) => TerminalWish) {
  const host = new FakeHost();
  const clock = new FakeClock();
  const events: string[] = [];
  let screen = "";
  const opened = new Session({
    wish: wish?.(host) ?? NEW,
    again: NEW,
    dial: host.dial,
    clock,
    random: () => 1,
    show: (text) => {
      screen += text;
    },
    onCut: (reason) => events.push(reason === undefined ? "whole" : `cut: ${reason}`),
    onAttached: ({ id }) => events.push(id === host.id ? "attached" : "another"),
    onGone: () => events.push("gone"),
    onTold: (sentence) => events.push(sentence),
    finish: (code) => events.push(`finished ${code}`),
  });
  const end = (value: object) =>
    host.tell({ kind: "ended", json: Buffer.from(JSON.stringify(value)) });
  return { host, clock, events, session: opened, screen: () => screen, end };
}

describe("a terminal of the window", () => {
  it("begins with the size that it has", async () => {
    const { host, session: one } = await session();
    one.open(SIZE);
    await settled();
    expect(host.openings).toEqual([{ size: SIZE, wish: NEW }]);
  });

  it("waits a moment for a size that it is not told at once, and no longer", async () => {
    const told = await session();
    told.session.open(undefined);
    told.session.resize({ cols: 132, rows: 43 });
    await settled();
    expect(told.host.openings).toMatchObject([{ size: { cols: 132, rows: 43 } }]);
    told.clock.advance(LATER_MS);
    expect(told.host.openings).toHaveLength(1);

    const hidden = await session();
    hidden.session.open(undefined);
    hidden.clock.advance(150);
    await settled();
    expect(hidden.host.openings).toMatchObject([{ size: SIZE }]);
    hidden.session.resize({ cols: 5_000, rows: 0 });
    expect(hidden.host.others).toEqual([{ kind: "resize", cols: 1_000, rows: 1 }]);
  });

  it("goes without a word when its shell ended well", async () => {
    const { session: one, end, events, screen } = await session();
    one.open(SIZE);
    await settled();
    end({ how: "exit", code: 0 });
    expect(events).toEqual(["attached", "gone", "finished 0"]);
    expect(screen()).toBe("");
  });

  it("stays for what somebody is still typing, which goes nowhere else", async () => {
    const { host, session: one, end, events, clock } = await session();
    one.open(SIZE);
    await settled();
    one.type("p");
    clock.advance(400);
    end({ how: "exit", code: 0 });
    for (const key of "assword") {
      clock.advance(400);
      one.type(key);
    }
    expect(events).toEqual(["attached", "gone"]);
    expect(host.read).toBe("p");
    clock.advance(500);
    expect(events).toEqual(["attached", "gone", "finished 0"]);
  });

  it.each([
    [
      "a host has asked for keys by their numbers",
      ["\u001B[112u", "\u001B[112;1:3u", "\u001B[97;2u"],
    ],
    ["an input method puts several characters together", ["密码", "正确", "密码"]],
    ["a paste comes", ["\u001B[200~pass\u001B[201~", "word", "word"]],
  ])("stays for what somebody is still typing, also where %s", async (_, [first = "", ...keys]) => {
    const { host, session: one, end, events, clock } = await session();
    one.open(SIZE);
    await settled();
    one.type(first);
    const { read } = host;
    clock.advance(400);
    end({ how: "exit", code: 0 });
    for (const key of keys) {
      clock.advance(400);
      one.type(key);
    }
    expect(events).toEqual(["attached", "gone"]);
    expect(host.read).toBe(read);
    clock.advance(500);
    expect(events.at(-1)).toBe("finished 0");
  });

  it("goes at once when its terminal answered before its end, or behind it", async () => {
    const { session: one, end, events, clock } = await session();
    one.open(SIZE);
    await settled();
    one.type("\u001B[?1u");
    end({ how: "exit", code: 0 });
    one.type("\u001B[?1u");
    clock.advance(0);
    expect(events).toEqual(["attached", "gone", "finished 0"]);
  });

  it("goes once when it is closed meanwhile", async () => {
    const { session: one, end, events, clock } = await session();
    one.open(SIZE);
    await settled();
    one.type("\u0004");
    end({ how: "exit", code: 0 });
    one.close();
    clock.advance(LATER_MS);
    expect(events).toEqual(["attached", "gone"]);
    expect(clock.timers).toBe(0);
  });

  it("takes no key for a decision that comes right behind another one", async () => {
    const { session: one, end, events, clock } = await session();
    one.open(SIZE);
    await settled();
    end({ how: "stopped" });
    for (const key of "password") {
      clock.advance(400);
      one.type(key);
    }
    expect(events).toEqual(["attached", "gone"]);
    clock.advance(500);
    one.type("q");
    expect(events.at(-1)).toBe("finished undefined");
  });

  it.each([
    [{ how: "exit", code: 3 }, "The shell ended with exit code 3."],
    [{ how: "exit", code: 3 }, "The shell ended with exit code 3.", "\u001B[13u"],
    [{ how: "signal", signal: "SIGKILL" }, "The shell was ended by the signal SIGKILL."],
    [{ how: "idle" }, "Nobody used it for as long as the host allows."],
    [{ how: "left" }, "Nobody came back to it for five minutes."],
    [{ how: "closed" }, "It was ended elsewhere."],
    [{ how: "forbidden" }, "You may not use terminals of this host any more."],
    [{ how: "stopped" }, "The host's agent was stopped."],
    [{ how: "failed", text: "no more\u001B]0;x\u0007 PTYs" }, "no more]0;x PTYs"],
  ])(
    "says why it ended, and starts again when somebody wants that: %o",
    async (how, why, enter = "\r") => {
      const { host, session: one, end, events, screen, clock } = await session();
      one.open(SIZE);
      await settled();
      end(how);
      expect(screen()).toContain(`Session ended: ${why}`);
      expect(screen()).toContain("Press Enter to start again");
      one.type("\r");
      expect(host.openings).toHaveLength(1);
      clock.advance(LATER_MS);
      // what the terminal answers, and what is pasted, is no decision
      one.type("\u001B[0n");
      one.type("\u001B[I");
      one.type("\u001B[13;1:3u");
      one.type("rm -r x\r");
      one.type("\r");
      await settled();
      expect(host.openings).toHaveLength(1);
      clock.advance(LATER_MS);
      one.type(enter);
      await settled();
      expect(host.openings.map(({ wish }) => wish.kind)).toEqual(["new", "new"]);
      expect(events).toEqual(["attached", "gone", "attached"]);
    },
  );

  it.each([
    ["a letter", "q"],
    ["one of two units", "\u{1F600}"],
    ["an arrow", "\u001B[A"],
    ["an arrow of a program's mode", "\u001BOB"],
    ["an arrow with Ctrl", "\u001B[1;5C"],
    ["Delete", "\u001B[3~"],
    ["Alt+x", "\u001Bx"],
    ["Esc", "\u001B"],
    ["Ctrl+D", "\u0004"],
    ["a letter by its number", "\u001B[113u"],
    ["Ctrl+C by its number", "\u001B[99;5u"],
  ])("closes on another key: %s", async (_, key) => {
    const { session: one, end, events, clock } = await session();
    one.open(SIZE);
    await settled();
    end({ how: "stopped" });
    clock.advance(LATER_MS);
    one.type(key);
    expect(events.at(-1)).toBe("finished undefined");
  });

  it.each([
    ["an answer to where the cursor is", "\u001B[12;40R"],
    ["an answer to what it is", "\u001B[?1;2c"],
    ["a colour", "\u001B]11;rgb:0000/0000/0000\u001B\\"],
    ["a focus", "\u001B[O"],
    ["a paste", "\u001B[200~x\u001B[201~"],
    ["nothing", ""],
    ["whether keys have numbers", "\u001B[?31u"],
    ["a key that is let go", "\u001B[113;1:3u"],
    ["Shift alone", "\u001B[57441;2u"],
  ])("takes for no key: %s", async (_, text) => {
    const { host, session: one, end, events, clock } = await session();
    one.open(SIZE);
    await settled();
    end({ how: "stopped" });
    clock.advance(LATER_MS);
    one.type(text);
    await settled();
    expect(events).toEqual(["attached", "gone"]);
    expect(host.openings).toHaveLength(1);
  });

  it("takes a key for a slip by the time that has passed, whatever the clock says", async () => {
    const { session: one, end, events, clock } = await session();
    one.open(SIZE);
    await settled();
    end({ how: "stopped" });
    clock.jump(86_400_000);
    one.type("q");
    expect(events).toEqual(["attached", "gone"]);
    clock.jump(-172_800_000);
    clock.advance(LATER_MS);
    one.type("q");
    expect(events.at(-1)).toBe("finished undefined");
  });

  it("says that there is no way to it any more, and forgets it", async () => {
    const { host, session: one, events, screen } = await session();
    one.open(SIZE);
    await settled();
    one.refuse("You are not signed in.");
    expect(screen()).toContain("Session ended: You are not signed in.");
    expect(events).toEqual(["attached", "gone"]);
    expect(host.isJoined).toBe(false);
  });

  it("takes itself back from the window that took it over, when that is wanted", async () => {
    const { host, session: one, screen, clock } = await session();
    one.open(SIZE);
    await settled();
    host.cut({ kind: "takenOver" });
    expect(screen()).toContain("It goes on in another window.");
    clock.advance(LATER_MS);
    expect(host.openings).toHaveLength(1);
    one.type("\r");
    await settled();
    expect(host.openings.at(-1)?.wish).toEqual({ kind: "resume", id: host.id });
  });

  it("has its output once when it is back: what was on the screen is cleared first", async () => {
    const { host, session: one, screen, clock } = await session();
    one.open(SIZE);
    await settled();
    host.write("only once");
    host.cut({ kind: "takenOver" });
    clock.advance(LATER_MS);
    one.type("\r");
    await settled();
    clock.advance(LATER_MS);
    const [before, after, ...more] = screen().split("\u001Bc");
    expect(more).toEqual([]);
    expect(before).toContain("only once");
    expect(after?.replaceAll("\u001B[5n", "")).toBe("only once");
  });

  it("says that one of before is not there any more, and starts another one on a key", async () => {
    const {
      host,
      session: one,
      screen,
      clock,
      events,
    } = await session(({ id }) => ({
      kind: "resume",
      id,
    }));
    one.open(SIZE);
    await settled();
    host.cut({ kind: "refused", reason: "There is no such terminal." });
    expect(screen()).toContain("Session ended: There is no such terminal.");
    expect(events).toEqual(["attached", "gone"]);
    clock.advance(LATER_MS);
    one.type("\r");
    await settled();
    expect(host.openings.at(-1)?.wish).toEqual(NEW);
  });

  it("writes nothing of a cut into the program's screen, and says it beside", async () => {
    const { host, session: one, screen, events, clock } = await session();
    one.open(SIZE);
    await settled();
    host.write("\u001B[?1049hvim");
    host.cut();
    clock.advance(500);
    await settled();
    expect(screen()).toBe("\u001B[?1049hvim");
    expect(events).toEqual(["attached", "cut: It was cut.", "attached", "whole"]);
  });

  it("takes back what a full-screen program left on that was ended", async () => {
    const { session: one, screen, end } = await session();
    one.open(SIZE);
    await settled();
    end({ how: "stopped" });
    for (const code of ["?1047l", "?1003l", "?2004l", "?25h", "0m"]) {
      expect(screen()).toContain(`\u001B[${code}`);
    }
    // each of the two screens has its own way of telling keys
    expect(screen()).toContain("\u001B[=0u\u001B[?1047l\u001B[=0u");
  });

  it("says so when more is pasted than anybody waits for, and not with every key", async () => {
    const { host, session: one, events, clock } = await session();
    one.open(SIZE);
    await settled();
    host.isReading = false;
    one.type("x".repeat(16 << 20));
    const told = () =>
      events.filter((event) => /what you typed or pasted was not sent/.test(event));
    for (const key of "password") one.type(key);
    expect(told()).toHaveLength(1);
    clock.advance(10_000);
    one.type("p");
    expect(told()).toHaveLength(2);
  });

  it("ends at the host, or stays there", async () => {
    const ended = await session();
    ended.session.open(SIZE);
    await settled();
    expect(ended.session.isAttached).toBe(true);
    ended.session.close();
    expect(ended.host.others).toEqual([{ kind: "close" }]);
    const left = await session();
    left.session.open(undefined);
    left.session.detach();
    left.clock.advance(LATER_MS);
    left.session.resize({ cols: 132, rows: 43 });
    await settled();
    expect(left.host.openings).toEqual([]);
  });
});
