import { createSecretKey } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { NO_HASH, openEntry, sealEntry } from "../../../../backend/src/audit/chain.ts";
import { bodyOf } from "../../../../backend/src/audit/entry.ts";
import { verifyLog } from "../../../../backend/src/audit/verify.ts";
import {
  AUDIT_KEY,
  entry,
  type TestAuditLog,
  testAuditLog,
} from "../../../support/backend/auditLog.ts";

const FORGERS_KEY = createSecretKey(Buffer.alloc(32, 8));

/** A log of `count` entries. With `perSegment`, in segments of about so many. */
async function logOf(count: number, perSegment = 1_000): Promise<TestAuditLog> {
  const log = await testAuditLog({ segmentMaxBytes: perSegment * 420 });
  for (let n = 1; n <= count; n += 1) await log.audit.record(entry(n));
  return log;
}

const lines = (change: (lines: string[]) => string[]) => (text: string) =>
  change(text.trimEnd().split("\n"))
    .map((line) => `${line}\n`)
    .join("");

it("S-22: a log that nobody touched is sound, across segments, and tells its last entry", async () => {
  await using log = await logOf(9, 3);
  expect((await log.segments()).length).toBeGreaterThan(2);
  expect(await log.verify()).toEqual({
    kind: "ok",
    firstSeq: 1,
    lost: 0,
    isTorn: false,
    segments: (await log.segments()).length,
    head: { seq: 9, hash: log.audit.head.hash },
  });
});

it("S-22, D-05: each flipped bit of an entry is found", async () => {
  const place = { seq: 1, at: "2030-01-01T00:00:00.000Z", prev: NO_HASH };
  const { line } = sealEntry(bodyOf(entry(1), place), AUDIT_KEY);
  const bytes = Buffer.from(line);
  expect(openEntry(bytes, AUDIT_KEY)).toMatchObject({ kind: "entry", seq: 1 });
  const unseen: number[] = [];
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    if (openEntry(bytes, AUDIT_KEY).kind === "entry") unseen.push(bit);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  }
  expect(unseen).toEqual([]);
});

it("S-22, D-05: each flipped bit of a line's last bytes, its end included, is found in the file", async () => {
  await using log = await logOf(2);
  const original = await readFile(log.segment(1));
  const ends = [...original.keys()].filter((at) => original[at] === 0x0a);
  const near = ends.flatMap((end) => [end - 2, end - 1, end]);
  for (const at of [0, 1, ...near, (ends[0] ?? 0) + 1]) {
    for (let bit = 0; bit < 8; bit += 1) {
      const flipped = Buffer.from(original);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
      await writeFile(log.segment(1), flipped);
      expect([at, bit, (await log.verify()).kind]).toEqual([at, bit, "broken"]);
    }
  }
});

interface Tampering {
  readonly name: string;
  readonly change: (all: string[]) => string[];
  readonly line: number;
  readonly what: string;
}

const tamperings: Tampering[] = [
  {
    name: "removed",
    change: (all) => all.toSpliced(1, 1),
    line: 2,
    what: "entries are missing: seq 2",
  },
  {
    name: "removed at the beginning",
    change: (all) => all.slice(2),
    line: 1,
    what: "entries are missing: seq 1 to 2",
  },
  {
    name: "written twice",
    change: (all) => all.flatMap((one) => [one, one]),
    line: 2,
    what: "seq 1 again",
  },
  {
    name: "moved",
    change: ([a = "", b = "", ...rest]) => [b, a, ...rest],
    line: 1,
    what: "entries are missing: seq 1",
  },
  {
    name: "added",
    change: (all) => all.toSpliced(2, 0, "{}"),
    line: 3,
    what: "the line is not an entry",
  },
];

it.each(tamperings)("S-22: a line that was $name is found, with its place", async (one) => {
  await using log = await logOf(4);
  await log.edit(1, lines(one.change));
  const verdict = await log.verify();
  expect(verdict).toMatchObject({ kind: "broken", path: log.segment(1), line: one.line });
  expect(verdict).toMatchObject({ what: expect.stringContaining(one.what) });
});

it("S-22: a log that was emptied, or removed, is not sound", async () => {
  await using log = await logOf(1);
  for (const remove of [() => writeFile(log.segment(1), ""), () => rm(log.segment(1))]) {
    await remove();
    expect(await log.verify()).toMatchObject({ kind: "broken", what: "there is no entry" });
  }
});

it("S-22: who changes an entry and computes the chain anew, without the key, is found", async () => {
  await using log = await logOf(3);
  let prev = NO_HASH;
  const forged = lines((all) =>
    all.map((line) => {
      const { hash: _hash, mac: _mac, ...body } = JSON.parse(line);
      const sealed = sealEntry({ ...body, user: "nobody", prev }, FORGERS_KEY);
      prev = sealed.hash;
      return sealed.line;
    }),
  );
  await log.edit(1, forged);
  const what = expect.stringContaining("audit.key");
  expect(await log.verify()).toMatchObject({ kind: "broken", line: 1, what });
  expect(await verifyLog({ directory: log.directory, key: FORGERS_KEY })).toMatchObject({
    kind: "ok",
  });
});

it("S-22: a missing segment, and two that were exchanged, are found", async () => {
  await using log = await logOf(9, 3);
  const kept = join(log.directory, "kept");
  await rename(log.segment(2), kept);
  const what = expect.stringContaining("entries are missing");
  expect(await log.verify()).toMatchObject({ kind: "broken", path: log.segment(3), what });
  await rename(log.segment(1), log.segment(2));
  await rename(kept, log.segment(1));
  expect(await log.verify()).toMatchObject({ kind: "broken", path: log.segment(1), line: 1 });
});

it("S-22: entries cut off at the end are found with an entry that was noted before", async () => {
  await using log = await logOf(4);
  const noted = log.audit.head;
  const hash = "f".repeat(64);
  expect(await log.verify(noted)).toMatchObject({ kind: "ok" });
  const other = await log.verify({ seq: 3, hash });
  expect(other).toMatchObject({ kind: "broken", line: 3, what: "the entry is not the noted one" });
  await log.edit(
    1,
    lines((all) => all.slice(0, 2)),
  );
  expect(await log.verify()).toMatchObject({ kind: "ok", head: { seq: 2 } });
  const cut = await log.verify(noted);
  expect(cut).toMatchObject({ kind: "broken", what: "the log ends at seq 2, but seq 4 was noted" });
});

it("segments that were moved away are vouched for by the entry noted at their end", async () => {
  await using log = await logOf(9, 3);
  const [last = ""] = (await readFile(log.segment(1), "utf8")).trimEnd().split("\n").slice(-1);
  const { seq, hash } = JSON.parse(last);
  await rm(log.segment(1));
  expect(await log.verify()).toMatchObject({ kind: "broken", path: log.segment(2), line: 1 });
  expect(await log.verify({ seq, hash })).toMatchObject({ kind: "ok", firstSeq: seq + 1 });
  expect((await log.verify({ seq, hash: NO_HASH })).kind).toBe("broken");
});

it("an unfinished last line is told of, and is no reason to distrust the log", async () => {
  await using log = await logOf(2);
  await log.edit(1, (text) => text.slice(0, -30));
  expect(await log.verify()).toMatchObject({ kind: "ok", isTorn: true, head: { seq: 1 } });
});
