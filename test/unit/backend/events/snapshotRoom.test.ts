import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { EventHub } from "../../../../backend/src/events/hub.ts";
import { EVERYTHING, type Sight } from "../../../../backend/src/events/sight.ts";
import type { Watcher } from "../../../../backend/src/events/watcher.ts";
import { emptySources, pairing, STATUS } from "../../../support/backend/eventSources.ts";
import { FakeClock } from "../../../support/clock.ts";
import { eventually } from "../../../support/eventually.ts";
import { testLog } from "../../../support/log.ts";

/** A snapshot of all of them is a few messages. */
const PAIRINGS = 5_000;
/** A complete snapshot is kept for so long for whoever comes next. */
const KEPT_MS = 10_000;
/** Whoever reads a snapshot has so long for it in any case. */
const READING_MS = 60_000;

/** Takes one message, and no more until it is told to. */
class SlowWatcher implements Watcher {
  hasRoom = true;
  isLost = false;
  isPatient = true;
  messages: string[] = [];

  take(message: Buffer): void {
    this.messages.push(String(message));
    if (this.isPatient) this.hasRoom = false;
  }

  lost(): void {
    this.isLost = true;
  }

  get hasAll(): boolean {
    return this.messages.at(-1)?.endsWith('"more":false}') === true;
  }
}

function setUp(maxBytes: number) {
  const clock = new FakeClock();
  const ids = Array.from({ length: PAIRINGS }, (_, n) => String(n).padStart(16, "0"));
  const source = { ids: () => ids, get: pairing };
  const full: number[] = [];
  const hub = new EventHub({
    sources: { ...emptySources(), server: () => STATUS, pairing: source },
    clock,
    log: testLog().log,
    backlogMaxBytes: 1 << 20,
    snapshotMaxBytes: maxBytes,
    onSnapshotsFull: () => full.push(1),
  });
  /** Somebody comes, who may see everything but is an audience of their own where that is said. */
  const arrive = (isPatient: boolean, sight: Sight = EVERYTHING) => {
    const watcher = new SlowWatcher();
    watcher.isPatient = isPatient;
    hub.watch(watcher, sight);
    return watcher;
  };
  /** The same when the snapshot of those before is kept no longer; resolves when theirs is made. */
  const come = async (isPatient: boolean, wholeBytes = 1) => {
    clock.advance(KEPT_MS);
    const before = hub.snapshotBytes;
    const watcher = arrive(isPatient);
    const isMade = () => (isPatient ? hub.snapshotBytes - before >= wholeBytes : watcher.hasAll);
    await eventually(() => expect(isMade()).toBe(true));
    return watcher;
  };
  /** A patient watcher reads to the end. */
  const readAll = async (watcher: SlowWatcher) => {
    watcher.isPatient = false;
    watcher.hasRoom = true;
    hub.resume(watcher);
    await eventually(() => expect(watcher.hasAll).toBe(true));
  };
  return { hub, full, come, arrive, readAll, clock };
}

/** Bytes of one whole snapshot. */
async function snapshotBytes(): Promise<number> {
  const { hub, come } = setUp(Number.POSITIVE_INFINITY);
  await come(false);
  return hub.snapshotBytes;
}

describe("the snapshots that are read slowly", () => {
  it("have so many bytes at the most: who comes then waits until one was read, and ends nobody", async () => {
    const bytes = await snapshotBytes();
    const { full, come, arrive, readAll, hub, clock } = setUp(1.5 * bytes);
    const readers = [await come(true, bytes), await come(true, bytes)] as const;
    clock.advance(KEPT_MS);
    const late = arrive(false);
    await settled();
    expect([late.messages.length, full.length]).toEqual([0, 1]);
    expect(hub.snapshotBytes).toBe(2 * bytes);
    await readAll(readers[0]);
    await eventually(() => expect(late.hasAll).toBe(true));
    await readAll(readers[1]);
    expect([...readers, late].map(({ isLost }) => isLost)).toEqual([false, false, false]);
    for (const reader of [...readers, late]) hub.unwatch(reader);
    expect(hub.snapshotBytes).toBe(0);
  });

  it("are left to who does not read them for a minute, when others wait", async () => {
    const bytes = await snapshotBytes();
    const { come, arrive, clock } = setUp(1.5 * bytes);
    const readers = [await come(true, bytes), await come(true, bytes)];
    clock.advance(KEPT_MS);
    const late = arrive(false);
    clock.advance(READING_MS - 2 * KEPT_MS - 1);
    await settled();
    expect([...readers, late].map(({ isLost }) => isLost)).toEqual([false, false, false]);
    expect(late.messages).toEqual([]);
    clock.advance(KEPT_MS + 1);
    await eventually(() => expect(late.hasAll).toBe(true));
    expect([...readers, late].map(({ isLost }) => isLost)).toEqual([true, false, false]);
  });

  it("are forgotten with those who wait for one and go", async () => {
    const bytes = await snapshotBytes();
    const { come, arrive, readAll, hub, clock } = setUp(1.5 * bytes);
    const readers = [await come(true, bytes), await come(true, bytes)];
    clock.advance(KEPT_MS);
    const late = arrive(false);
    hub.unwatch(late);
    for (const reader of readers) await readAll(reader);
    await settled();
    expect([late.messages.length, hub.snapshotBytes, hub.watchers]).toEqual([0, 0, 2]);
  });

  it("have every thing once, however many audiences read it", async () => {
    const bytes = await snapshotBytes();
    const { full, arrive, hub } = setUp(1.5 * bytes);
    const readers = Array.from({ length: 20 }, () => arrive(true, { ...EVERYTHING }));
    await settled();
    expect(hub.snapshotBytes).toBe(bytes);
    expect(full).toEqual([]);
    expect(readers.every(({ messages }) => messages.length === 1)).toBe(true);
  });

  it("count no more as soon as nobody reads them", async () => {
    const { full, come, hub, clock } = setUp(1.5 * (await snapshotBytes()));
    for (let n = 0; n < 5; n += 1) expect((await come(false)).isLost).toBe(false);
    expect(full).toEqual([]);
    clock.advance(KEPT_MS);
    expect(hub.snapshotBytes).toBe(0);
  });

  it("are read to their end where there is room for them, however slowly", async () => {
    const { come, hub } = setUp(2.5 * (await snapshotBytes()));
    const slow = await come(true);
    await come(false);
    while (!slow.hasAll) {
      const { length } = slow.messages;
      slow.hasRoom = true;
      hub.resume(slow);
      await eventually(() => expect(slow.messages.length).toBeGreaterThan(length));
    }
    expect(slow.isLost).toBe(false);
    hub.unwatch(slow);
    expect(hub.snapshotBytes).toBeGreaterThan(0);
  });
});

/** Until everything has been made and sent that could be. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 500; turn += 1) await nextTurn();
}
