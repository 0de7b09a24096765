import type { RecordingPiece } from "@rport/protocol/terminal/recording";
import { recordingIdSchema } from "@rport/protocol/terminal/recording";
import { describe, expect, it } from "vitest";
import type { Api } from "../../../../extension/src/api/http.ts";
import { linesIn, piecesOf } from "../../../../extension/src/terminals/playback/recordingPieces.ts";

const ID = recordingIdSchema.parse(`${"a".repeat(22)}.1`);
const LINE = '[0.5,"o","x"]\n';

/** What a server with these answers gives, and how often it was asked. */
async function read(answer: (count: number) => RecordingPiece) {
  let asked = 0;
  const call = async () => {
    asked += 1;
    return answer(asked);
  };
  const texts: string[] = [];
  const reading = async () => {
    for await (const { text } of piecesOf({ call } as unknown as Api, ID)) texts.push(text);
  };
  const error = await reading().then(
    () => undefined,
    (caught: unknown) => caught,
  );
  return { error, texts, asked: () => asked };
}

const piece = (text: string, next: string | null): RecordingPiece => ({
  text,
  next,
  state: "unfinished",
});

describe("S-66 a recording as its server gives it", () => {
  it("is read to its end, piece by piece", async () => {
    const { error, texts } = await read((count) => piece(LINE, count < 3 ? `${count}.1` : null));
    expect(error).toBeUndefined();
    expect(texts).toEqual([LINE, LINE, LINE]);
  });

  it.each<[string, (count: number) => RecordingPiece]>([
    ["has nothing, and goes on", (count) => piece("", `${count}.1`)],
    ["goes on where it was", () => piece(LINE, "1.1")],
  ])("that %s is given up", async (_, answer) => {
    const { error, asked } = await read((count) =>
      count < 1_000 ? answer(count) : piece("", null),
    );
    expect(error).toMatchObject({ code: "INTERNAL" });
    expect(asked()).toBeLessThan(3);
  });

  it("that has no end is given up at 4 GiB", async () => {
    const text = LINE.repeat(100_000);
    const most = Math.ceil(2 ** 32 / text.length);
    const { error, texts } = await read((count) =>
      piece(text, count < 2 * most ? `${count}.1` : null),
    );
    expect(error).toMatchObject({ code: "TOO_LARGE" });
    expect(texts).toHaveLength(most - 1);
  });

  it("is read some lines at a time, without those that say nothing", () => {
    const text = `{"version":2}\n[]\nx\n[0,"i","q"]\n${LINE.repeat(1_200)}`;
    const batches = [...linesIn({ text, state: "whole", isLast: true })];
    expect(Math.max(...batches.map(({ length }) => length))).toBeLessThanOrEqual(500);
    expect(batches.flat()).toHaveLength(1_200);
  });

  it("has to have something to play where it goes on", () => {
    const said = (isLast: boolean) => [...linesIn({ text: "[]\n", state: "whole", isLast })].flat();
    expect(said(true)).toEqual([]);
    expect(() => said(false)).toThrow("sends nothing of it");
  });
});
