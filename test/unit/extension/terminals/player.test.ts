import type { CastLine } from "@rport/protocol/terminal/asciicast";
import { describe, expect, it } from "vitest";
import { Player } from "../../../../extension/src/terminals/playback/player.ts";
import { FakeClock } from "../../../support/clock.ts";
import { settled } from "./viewerFixture.ts";

const QUESTION = "\u001B[5n";
const output = (atMs: number, text: string): CastLine => ({ kind: "output", atMs, text });

/** A player of these lines, which has begun. */
function playing(...lines: readonly CastLine[]) {
  async function* once() {
    yield lines;
  }
  return playingAll(once());
}

/** The same of lines that come some at a time. */
async function playingAll(lines: AsyncIterable<readonly CastLine[]>) {
  const clock = new FakeClock();
  const sizes: unknown[] = [];
  let screen = "";
  let isOver = false;
  const player = new Player({
    lines,
    clock,
    show: (text) => {
      screen += text;
    },
    onSize: (size) => sizes.push(size),
    markText: (text) => `<${text}>`,
  });
  void player.play().then(() => {
    isOver = true;
  });
  await settled();
  return {
    player,
    sizes,
    screen: () => screen.replaceAll(QUESTION, ""),
    questions: () => screen.split(QUESTION).length - 1,
    isOver: () => isOver,
    /** So much time passes, and what follows from it happens. */
    async pass(ms: number) {
      for (let left = ms; left > 0; left -= 50) {
        clock.advance(Math.min(50, left));
        await settled();
      }
    },
  };
}

describe("S-66 a recording that is played", () => {
  it("S-69 has nothing to do with the clipboard", async () => {
    const scene = await playing(output(0, "a\u001B]5"), output(1, "2;c;eA==\u0007b"));
    await scene.pass(50);
    expect(scene.screen()).toBe("a\u001B\\b");
  });

  it("S-68 leads nobody to this computer", async () => {
    const link = [output(0, "\u001B]8;;fi"), output(1, "le:///etc\u0007here")];
    const scene = await playing(...link);
    await scene.pass(50);
    expect(scene.screen()).toBe("\u001B]8;;\u0007here");
  });

  it("takes the time that it took, without long pauses", async () => {
    const scene = await playing(output(0, "a"), output(1_000, "b"), output(3_600_000, "c"));
    expect(scene.screen()).toBe("a");
    await scene.pass(950);
    expect(scene.screen()).toBe("a");
    await scene.pass(50);
    expect(scene.screen()).toBe("ab");
    await scene.pass(1_900);
    expect(scene.screen()).toBe("ab");
    await scene.pass(150);
    expect(scene.screen()).toBe("abc");
    expect(scene.isOver()).toBe(true);
  });

  it("is faster by two and by eight, stops and goes on as it was", async () => {
    const scene = await playing(output(0, "a"), output(1_600, "b"), output(3_200, "c"));
    scene.player.setPace(8);
    await settled();
    await scene.pass(250);
    expect(scene.screen()).toBe("ab");
    scene.player.togglePause();
    await settled();
    await scene.pass(10_000);
    expect(scene.screen()).toBe("ab");
    expect(scene.player.pace).toBe(0);
    scene.player.togglePause();
    expect(scene.player.pace).toBe(8);
    scene.player.setPace(2);
    await settled();
    await scene.pass(550);
    expect(scene.screen()).toBe("ab");
    await scene.pass(100);
    expect(scene.screen()).toBe("abc");
  });

  it("has the sizes that it had, and says what it says of itself", async () => {
    const size = { cols: 132, rows: 43 };
    const scene = await playing(
      { kind: "header", size: { cols: 80, rows: 24 } },
      { kind: "resize", atMs: 5, size },
      { kind: "mark", atMs: 6, text: "9 bytes are missing" },
    );
    await scene.pass(100);
    expect(scene.sizes).toEqual([{ cols: 80, rows: 24 }, size]);
    expect(scene.screen()).toBe("<9 bytes are missing>");
  });

  it("waits for the terminal, and what that answers is nobody's key", async () => {
    const flood = Array.from({ length: 40 }, (_, n) => output(n, "x".repeat(32 << 10)));
    const scene = await playing(...flood);
    await scene.pass(1_000);
    const shown = scene.screen().length;
    expect(shown).toBeLessThan(400 << 10);
    expect(scene.questions()).toBeGreaterThan(0);
    expect(scene.player.typed("\u001B[0n".repeat(scene.questions()))).toBe("");
    await scene.pass(100);
    expect(scene.screen().length).toBeGreaterThan(shown);
  });

  it("plays nothing more when it was ended", async () => {
    const scene = await playing(output(0, "a"), output(1_000, "b"));
    scene.player.end();
    await scene.pass(2_000);
    expect(scene.screen()).toBe("a");
    expect(scene.isOver()).toBe(true);
  });

  it("that goes on for ever with nothing ends when somebody wants that", async () => {
    let asked = 0;
    async function* forEver() {
      for (; asked < 1_000_000; asked += 1) yield [];
    }
    const scene = await playingAll(forEver());
    scene.player.end();
    await settled();
    await settled();
    expect(scene.isOver()).toBe(true);
    expect(asked).toBeLessThan(100);
  });

  it.each<[string, CastLine]>([
    ["marks", { kind: "mark", atMs: 0, text: "missing" }],
    ["sizes", { kind: "resize", atMs: 0, size: { cols: 1_000, rows: 1_000 } }],
    ["begins", { kind: "header", size: { cols: 1_000, rows: 1_000 } }],
  ])("of %s alone does not flood the terminal", async (_, line) => {
    const scene = await playing(...Array.from({ length: 100_000 }, () => line));
    scene.player.setPace(8);
    await scene.pass(1_000);
    expect(scene.sizes.length).toBeLessThanOrEqual(900);
    expect(scene.screen().length).toBeLessThan(400 << 10);
    expect(scene.isOver()).toBe(false);
    scene.player.end();
    await settled();
    expect(scene.isOver()).toBe(true);
  });
});
