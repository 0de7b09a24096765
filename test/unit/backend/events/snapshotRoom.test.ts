import { describe, expect, it } from "vitest";
import { EventHub } from "../../../../backend/src/events/hub.ts";
import { SnapshotRoom } from "../../../../backend/src/events/snapshotRoom.ts";
import type { Watcher } from "../../../../backend/src/events/watcher.ts";
import { emptySources, pairing, STATUS } from "../../../support/backend/eventSources.ts";
import { FakeClock } from "../../../support/clock.ts";
import { eventually } from "../../../support/eventually.ts";
import { testLog } from "../../../support/log.ts";

/** A snapshot of all of them is a few messages. */
const PAIRINGS = 5_000;
/** A complete snapshot is kept for so long for whoever comes next. */
const KEPT_MS = 10_000;

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

function setUp(maxBytes: number, wholeBytes = 1) {
  const clock = new FakeClock();
  const ids = Array.from({ length: PAIRINGS }, (_, n) => String(n).padStart(16, "0"));
  const source = { ids: () => ids, get: pairing };
  const full: number[] = [];
  const room = new SnapshotRoom({ maxBytes, onFull: () => full.push(1) });
  const sources = { ...emptySources(), server: () => STATUS, pairing: source };
  const deps = { sources, clock, log: testLog().log, backlogMaxBytes: 1 << 20 };
  const hub = new EventHub({ ...deps, room });
  /** Somebody comes when the snapshot of those before is kept no longer. */
  const come = async (isPatient: boolean) => {
    clock.advance(KEPT_MS);
    const watcher = new SlowWatcher();
    watcher.isPatient = isPatient;
    const before = room.bytes;
    hub.watch(watcher);
    const isMade = () => full.length > 0 || room.bytes - before >= wholeBytes;
    await eventually(() => expect(isPatient ? isMade() : watcher.hasAll).toBe(true));
    return watcher;
  };
  return { hub, room, full, come, clock };
}

/** Bytes of one whole snapshot. */
async function snapshotBytes(): Promise<number> {
  const { room, come } = setUp(Number.POSITIVE_INFINITY);
  await come(false);
  return room.bytes;
}

describe("the snapshots that are read slowly", () => {
  it("have so many bytes at the most: the oldest is dropped with its reader", async () => {
    const bytes = await snapshotBytes();
    const { full, come, room, hub } = setUp(2.5 * bytes, bytes);
    const readers = [await come(true), await come(true), await come(true)];
    expect(full).toHaveLength(1);
    expect(readers.map(({ isLost }) => isLost)).toEqual([true, false, false]);
    for (const reader of readers) hub.unwatch(reader);
    expect(room.bytes).toBe(0);
  });

  it("count no more as soon as nobody reads them", async () => {
    const { full, come, room, clock } = setUp(1.5 * (await snapshotBytes()));
    for (let n = 0; n < 5; n += 1) expect((await come(false)).isLost).toBe(false);
    expect(full).toEqual([]);
    clock.advance(KEPT_MS);
    expect(room.bytes).toBe(0);
  });

  it("are read to their end where there is room for them, however slowly", async () => {
    const { come, hub, room } = setUp(2.5 * (await snapshotBytes()));
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
    expect(room.bytes).toBeGreaterThan(0);
  });
});
