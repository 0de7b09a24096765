import { TERMINAL } from "@rport/protocol/terminal/terminal";
import { describe, expect, it } from "vitest";
import { settled, view } from "./viewerFixture.ts";

const letters = (length: number) =>
  "abcdefghijklmnopqrstuvwxyz".repeat(length / 26 + 1).slice(0, length);

describe("a viewer whose terminal cannot be asked how far it has come", () => {
  it.each([
    ["a string without an end", "\u001BPq"],
    ["a title without an end", "\u001B]0;"],
    ["a sequence without an end", "\u001B["],
  ])("has a host wait also within %s, which leaves no place for a question", async (_, begin) => {
    const { host, clock, screen } = await view();
    const rest = begin.endsWith("[") ? "1".repeat(2 << 20) : letters(2 << 20);
    host.write(begin + rest);
    const shown = screen().length;
    expect(shown).toBeLessThanOrEqual(TERMINAL.outputWindowBytes + (128 << 10));
    clock.advance(200);
    expect(screen().length).toBeGreaterThan(shown);
    expect(screen().length - shown).toBeLessThanOrEqual(512 << 10);
    clock.advance(3_000);
    expect(screen()).toBe(begin + rest);
  });

  it("has a host wait that has brought the terminal not to answer", async () => {
    const { host, clock, screen } = await view();
    host.write(letters(64 << 10));
    clock.advance(2_100);
    const before = screen().length;
    host.write(letters(2 << 20));
    clock.advance(200);
    expect(screen().length - before).toBeLessThanOrEqual(768 << 10);
  });
});

describe("a viewer that is not to go where it goes", () => {
  it("takes no other terminal for the one that it has", async () => {
    const { host, states, clock } = await view();
    const other = "A".repeat(22);
    host.cut();
    host.id = other as typeof host.id;
    clock.advance(500);
    await settled();
    expect(states.at(-1)).toMatchObject({ kind: "over", end: { kind: "refused" } });
    expect(host.isJoined).toBe(false);
  });

  it("sends nothing of what waits to where it is cut off from, and goes on later", async () => {
    const { host, viewer, states, clock } = await view();
    viewer.interrupt("Its key has changed.");
    expect(states.at(-1)).toEqual({ kind: "waiting", reason: "Its key has changed." });
    expect(host.isJoined).toBe(false);
    viewer.type("secret");
    expect(host.read).toBe("");
    clock.advance(500);
    await settled();
    expect(host.read).toBe("secret");
  });
});
