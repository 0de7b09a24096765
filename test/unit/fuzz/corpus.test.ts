import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type SeededRandom, seededRandom } from "../../support/random.ts";
import { ROOT, textOf } from "../../support/repository.ts";
import { PARSERS, type Parser } from "./parsers.ts";

const FOLDER = "test/fixtures/corpus";
/** Inputs that are made of each kept one; an hour's worth is `RPORT_FUZZ=1000000`. */
const ROUNDS = Number(process.env.RPORT_FUZZ ?? 1_500);
const CHANGES = 4;
/** What parsers have stumbled over elsewhere. */
const BAITS = [
  "\0",
  "\u2028",
  "__proto__",
  "%00",
  "1e400",
  "-1",
  '"',
  "\n",
  "[",
  "\xff\xff\xff\xff",
];

/** Bytes as characters below 256, so that a corpus can be read and compared. */
function corpusOf(name: string): Buffer[] {
  const kept = JSON.parse(textOf(`${FOLDER}/${name}.json`)) as string[];
  return kept.map((one) => Buffer.from(one, "latin1"));
}

/** One of the kept inputs with a few changes. */
function mutant(corpus: readonly Buffer[], random: SeededRandom): Buffer {
  let bytes: Buffer = Buffer.from(corpus[random.below(corpus.length)] ?? "");
  for (let left = 1 + random.below(CHANGES); left > 0; left -= 1) bytes = changed(bytes, random);
  return bytes;
}

function changed(bytes: Buffer, random: SeededRandom): Buffer {
  const at = random.below(bytes.length + 1);
  const end = Math.min(bytes.length, at + random.below(16));
  const [before, middle, after] = [
    bytes.subarray(0, at),
    bytes.subarray(at, end),
    bytes.subarray(end),
  ];
  const bait = Buffer.from(BAITS[random.below(BAITS.length)] ?? "", "latin1");
  const noise = Buffer.of(random.below(256));
  const kinds = [[before], [before, after], [before, middle, middle, after], [before, bait, after]];
  return Buffer.concat([...(kinds[random.below(kinds.length + 1)] ?? [before, noise, after])]);
}

/** What went wrong; undefined when it was read or refused. */
function fault({ parse, refusal }: Parser, bytes: Buffer): string | undefined {
  try {
    parse(bytes);
    return undefined;
  } catch (error) {
    if (refusal !== undefined && error instanceof refusal) return undefined;
    return `${JSON.stringify(bytes.toString("latin1"))}: ${String(error)}`;
  }
}

describe("F-18: what comes from outside", () => {
  it.each(Object.entries(PARSERS))("is read or refused in words: %s", (name, parser) => {
    const random = seededRandom();
    const corpus = corpusOf(name);
    const made = Array.from({ length: ROUNDS }, () => mutant(corpus, random));
    const faults = [...corpus, ...made].flatMap((bytes) => fault(parser, bytes) ?? []);
    expect(faults.slice(0, 3), `RPORT_TEST_SEED=${random.seed}`).toEqual([]);
  });

  it("has a kept corpus for each parser, and no other", () => {
    const kept = readdirSync(join(ROOT, FOLDER)).map((file) => file.replace(/\.json$/, ""));
    expect(kept.sort()).toEqual(Object.keys(PARSERS).sort());
  });
});
