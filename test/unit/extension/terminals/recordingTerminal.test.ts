import { describe, expect, it, vi } from "vitest";
import type { ReadPiece } from "../../../../extension/src/terminals/playback/recordingPieces.ts";
import { RecordingTerminal } from "../../../../extension/src/terminals/playback/recordingTerminal.ts";
import { FakeClock } from "../../../support/clock.ts";
import { settled } from "./viewerFixture.ts";

vi.mock("vscode", async () => {
  const { EventEmitter } = await import("node:events");
  class Emitter {
    readonly #emitter = new EventEmitter();
    readonly event = (listener: (value: unknown) => void) => this.#emitter.on("it", listener);
    fire(value: unknown) {
      this.#emitter.emit("it", value);
    }
    dispose() {
      this.#emitter.removeAllListeners();
    }
  }
  return { EventEmitter: Emitter };
});

/** A recording of so many pieces in the terminal that plays it; each is as the server has it in the middle. */
async function played(count: number, text: string) {
  let asked = 0;
  async function* pieces(): AsyncGenerator<ReadPiece> {
    while (asked < count) {
      asked += 1;
      const isLast = asked === count;
      yield { text, state: isLast ? "whole" : "unfinished", isLast };
    }
  }
  const about = "anna on web-01";
  const deps = { name: "web-01 (recording)", about, pieces: pieces(), clock: new FakeClock() };
  const terminal = new RecordingTerminal(deps);
  let screen = "";
  let closings = 0;
  terminal.onDidWrite((written) => {
    screen += written;
  });
  terminal.onDidClose(() => {
    closings += 1;
  });
  terminal.open();
  for (let turn = 0; turn < 10; turn += 1) await settled();
  return { terminal, asked: () => asked, screen: () => screen, closings: () => closings };
}

describe("S-66 the terminal of a recording", () => {
  it.each([
    ["q", "q"],
    ["Ctrl+C", "\u0003"],
    ["q by its number", "\u001B[113u"],
    ["Ctrl+C by its number", "\u001B[99;5u"],
  ])("closes at once with %s, and says nothing of an end that it has not seen", async (_, key) => {
    const { terminal, screen, closings, asked } = await played(1_000_000, '[0,"o","x"]\n');
    terminal.handleInput(key);
    const before = asked();
    for (let turn = 0; turn < 10; turn += 1) await settled();
    expect(closings()).toBe(1);
    expect(screen()).not.toContain("recording is over");
    expect(asked()).toBeLessThanOrEqual(before + 1);
  });

  it("is closed by any key behind the end, and by nothing that is none", async () => {
    const { terminal, screen, closings } = await played(2, '[0,"o","x"]\n');
    expect(screen()).toContain("The recording is over.");
    terminal.handleInput("\u001B[?1;2c");
    terminal.handleInput("\u001B[113;1:3u");
    expect(closings()).toBe(0);
    terminal.handleInput("\u001B[A");
    expect(closings()).toBe(1);
  });

  it("says so where its server sends nothing and never ends", async () => {
    const { screen, asked } = await played(1_000_000, "[]\n");
    expect(screen()).toContain("sends nothing of it");
    expect(asked()).toBe(1);
  });
});
