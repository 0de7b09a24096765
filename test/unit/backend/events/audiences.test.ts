import { setImmediate as nextTurn } from "node:timers/promises";
import { eventMessageSchema } from "@rport/protocol/events";
import type { Pairing } from "@rport/protocol/pairing/model";
import { describe, expect, it } from "vitest";
import { EventHub } from "../../../../backend/src/events/hub.ts";
import { EVERYTHING, type Sight } from "../../../../backend/src/events/sight.ts";
import type { Watcher } from "../../../../backend/src/events/watcher.ts";
import { emptySources, pairing, STATUS } from "../../../support/backend/eventSources.ts";
import { FakeClock } from "../../../support/clock.ts";
import { eventually } from "../../../support/eventually.ts";
import { testLog } from "../../../support/log.ts";

const AUDIENCES = 40;
/** Things of about 2 kB each: a snapshot of several messages. */
const THINGS = 600;
const IDS = Array.from({ length: THINGS }, (_, n) => String(n).padStart(16, "0"));
const [FIRST = ""] = IDS;
const BACKLOG_BYTES = 200_000;
const MIB = 1_048_576;

/** Keeps what it is sent, as long as it has room. */
class TestWatcher implements Watcher {
  readonly messages: Buffer[] = [];
  readonly #served = Promise.withResolvers<void>();
  hasRoom = true;
  isLost = false;

  take(message: Buffer): void {
    this.messages.push(message);
    if (this.hasAll) this.#served.resolve();
  }

  /** Resolves in the turn in which it has all. */
  get served(): Promise<void> {
    return this.#served.promise;
  }

  lost(): void {
    this.isLost = true;
  }

  get hasAll(): boolean {
    return this.messages.some((message) => message.subarray(-13).toString() === '"more":false}');
  }
}

function setUp() {
  const clock = new FakeClock();
  const values = new Map(IDS.map((id) => [id, longPairing(id)]));
  let encoded = 0;
  const get = (id: string): Pairing | undefined => {
    const value = values.get(id);
    const toJSON = (): Pairing | undefined => {
      encoded += 1;
      return value;
    };
    return value && Object.assign({ ...value }, { toJSON });
  };
  const hub = new EventHub({
    sources: {
      ...emptySources(),
      server: () => STATUS,
      pairing: { ids: () => values.keys(), get },
    },
    clock,
    log: testLog().log,
    backlogMaxBytes: BACKLOG_BYTES,
  });
  const watchers = Array.from({ length: AUDIENCES }, () => new TestWatcher());
  const watchAll = () => {
    for (const watcher of watchers) hub.watch(watcher, partial());
  };
  /** The pairing changes, and everybody who reads is told. */
  const change = async (id: string) => {
    hub.touch("pairing", id);
    clock.advance(50);
    await nextTurn();
  };
  const complete = () =>
    eventually(() => expect(watchers.every(({ hasAll }) => hasAll)).toBe(true));
  return { clock, values, hub, watchers, watchAll, change, complete, encoded: () => encoded };
}

/** The sight of somebody who could see less, and is an audience of their own. */
function partial(hidden: ReadonlySet<string> = new Set()): Sight {
  return {
    ...EVERYTHING,
    isWhole: false,
    shown: (_entity, value) => ("id" in value && hidden.has(String(value.id)) ? undefined : value),
    server: (status) => ({ ...status }),
  };
}

function longPairing(id: string): Pairing {
  return { ...pairing(id), pairing_url: "x".repeat(2_000) } as Pairing;
}

describe("audiences that see the same", () => {
  it("share what they are sent at first, encoded once", async () => {
    const { watchAll, complete, encoded, watchers } = setUp();
    watchAll();
    await complete();
    expect(encoded()).toBe(THINGS);
    const [first, ...others] = watchers;
    expect(first?.messages.length).toBeGreaterThan(2);
    for (const { messages } of others) {
      expect(messages.every((message, n) => message === first?.messages[n])).toBe(true);
    }
  });

  it("share what they are told of a change, also of the server", async () => {
    const { watchAll, complete, watchers, hub, change } = setUp();
    watchAll();
    await complete();
    hub.touch("server", "");
    await change(FIRST);
    const told = new Set(watchers.map(({ messages }) => messages.at(-1)));
    expect(told.size).toBe(1);
    expect(String([...told][0])).toContain('"delta"');
  });

  it("have one backlog: what all of them have still to be told counts once", async () => {
    const { watchAll, complete, watchers, hub, change } = setUp();
    watchAll();
    await complete();
    for (const watcher of watchers) watcher.hasRoom = false;
    for (let n = 0; n < 50; n += 1) await change(FIRST);
    expect(hub.backlogBytes).toBeGreaterThan(100_000);
    expect(hub.backlogBytes).toBeLessThan(BACKLOG_BYTES);
    expect(watchers.some(({ isLost }) => isLost)).toBe(false);
    for (const watcher of watchers) {
      watcher.hasRoom = true;
      hub.resume(watcher);
    }
    await eventually(() => {
      for (const { messages } of watchers) {
        const last = eventMessageSchema.parse(JSON.parse(String(messages.at(-1))));
        expect(last).toMatchObject({ type: "delta", seq: 50 });
      }
    });
  });
});

describe("audiences that see different things", () => {
  it("have one backlog, too: who is furthest behind is lost for it, and nobody who reads", async () => {
    const { clock, complete, watchers, hub, change } = setUp();
    for (const [n, watcher] of watchers.entries()) {
      const hidden = new Set(IDS.filter((_, index) => index % AUDIENCES !== n));
      hub.watch(watcher, partial(hidden));
    }
    await complete();
    clock.advance(10_000);
    const [stopped, slow, ...quick] = watchers;
    if (stopped === undefined || slow === undefined) throw new Error("too few watchers");
    stopped.hasRoom = false;
    slow.hasRoom = false;
    await change(IDS[1] ?? "");
    for (let n = 0; n < 300; n += 1) {
      await change(FIRST);
      await change(IDS[2 + (n % 20)] ?? "");
      expect(hub.backlogBytes).toBeLessThanOrEqual(BACKLOG_BYTES + 20_000);
    }
    expect([stopped.isLost, slow.isLost]).toEqual([true, false]);
    expect(quick.some(({ isLost }) => isLost)).toBe(false);
  });

  it("are made their snapshots a little in each turn, and are sent so much in it, all together", async () => {
    const { watchAll, watchers, encoded } = setUp();
    const sent = () =>
      watchers.flatMap(({ messages }) => messages).reduce((sum, m) => sum + m.length, 0);
    watchAll();
    let turns = 0;
    for (let before = 0; !watchers.every(({ hasAll }) => hasAll); turns += 1) {
      await nextTurn();
      expect(sent() - before).toBeLessThan(2 * MIB);
      before = sent();
    }
    expect(sent()).toBeGreaterThan(AUDIENCES * MIB);
    expect(turns).toBeGreaterThan(20);
    expect(encoded()).toBe(THINGS);
  });

  it("get in turn what they are sent: who is alone does not wait for a hundred others", async () => {
    const { hub, watchers } = setUp();
    const [alone] = watchers;
    if (alone === undefined) throw new Error("there is one");
    const crowd = Array.from({ length: 200 }, () => new TestWatcher());
    const sight = partial();
    for (const watcher of crowd) hub.watch(watcher, sight);
    hub.watch(alone, partial());
    // a look that comes later may find everybody served
    await alone.served;
    expect(crowd.filter(({ hasAll }) => hasAll).length).toBeLessThan(100);
  });

  it("are shown what a thing is now, also when it was encoded for others before it changed", async () => {
    const { hub, values, watchers, complete, clock } = setUp();
    const [one, other] = watchers;
    if (one === undefined || other === undefined) throw new Error("there are two");
    hub.watch(one, partial());
    await eventually(() => expect(one.hasAll).toBe(true));
    values.set(FIRST, { ...longPairing(FIRST), uses_left: 0 });
    hub.touch("pairing", FIRST);
    const last = IDS.at(-1) ?? "";
    values.delete(last);
    hub.touch("pairing", last);
    hub.watch(other, partial());
    await eventually(() => expect(other.hasAll).toBe(true));
    const [first] = other.messages.map((message) => JSON.parse(String(message)));
    expect(first.pairings[0]).toMatchObject({ id: FIRST, uses_left: 0 });
    expect(Buffer.concat(other.messages).includes(last)).toBe(false);
    clock.advance(50);
    await nextTurn();
    expect(String(one.messages.at(-1))).toContain(`"id":"${last}","value":null`);
    void complete;
  });
});

describe("a thing with much to say", () => {
  it("that changes all the time is told of now and then, with its last value", async () => {
    const { clock, values, hub, watchers, change } = setUp();
    const [watcher] = watchers;
    if (watcher === undefined) throw new Error("there is one");
    const long = (n: number) => ({
      ...pairing(FIRST),
      uses: n + 1,
      pairing_url: "x".repeat(48_000),
    });
    hub.watch(watcher);
    await eventually(() => expect(watcher.hasAll).toBe(true));
    const before = watcher.messages.length;
    for (let n = 0; n < 100; n += 1) {
      values.set(FIRST, long(n) as Pairing);
      await change(FIRST);
    }
    clock.advance(1_000);
    await nextTurn();
    const told = watcher.messages.slice(before).map((message) => JSON.parse(String(message)));
    expect(told.length).toBeGreaterThan(3);
    expect(told.length).toBeLessThan(10);
    expect(told.at(-1).changes).toMatchObject([{ id: FIRST, value: { uses: 100 } }]);
  });
});
