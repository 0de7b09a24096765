import fc from "fast-check";
import { Escapes } from "../../../../extension/src/terminals/escapes.ts";

/** A text, cut anywhere. */
export function inPieces(all: string): fc.Arbitrary<string[]> {
  return fc.array(fc.nat(all.length), { maxLength: 6 }).map((cuts) => {
    const at = [0, ...cuts.toSorted((one, other) => one - other), all.length];
    return at.slice(1).map((end, index) => all.slice(at[index], end));
  });
}

/** What of output goes to a terminal. */
export function passed(pieces: readonly string[]) {
  const escapes = new Escapes();
  const read = pieces.map((each) => escapes.read(each));
  return {
    pieces: read.map(({ text: shown }) => shown),
    asked: read.reduce((sum, { asked }) => sum + asked, 0),
    isComplete: escapes.isComplete,
    takesPastes: escapes.takesPastes,
  };
}
