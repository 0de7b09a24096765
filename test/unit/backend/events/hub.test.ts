import {
  deltaSchema,
  EVENT_MESSAGE_MAX_BYTES,
  eventMessageSchema,
  snapshotSchema,
} from "@rport/protocol/events";
import { clientIdSchema } from "@rport/protocol/ids";
import type { Pairing } from "@rport/protocol/pairing/model";
import { describe, expect, it } from "vitest";
import { EventHub } from "../../../../backend/src/events/hub.ts";
import { EVERYTHING, type Sight } from "../../../../backend/src/events/sight.ts";
import type { Lookup } from "../../../../backend/src/events/sources.ts";
import type { Watcher } from "../../../../backend/src/events/watcher.ts";
import { Mirror } from "../../../../extension/src/model/mirror.ts";
import { emptySources, pairing, STATUS } from "../../../support/backend/eventSources.ts";
import { FakeClock } from "../../../support/clock.ts";
import { eventually } from "../../../support/eventually.ts";
import { testLog } from "../../../support/log.ts";

const lookup = <T extends { id: string }>(
  items: Map<string, T>,
): Lookup<T> & { asked: string[] } => {
  const asked: string[] = [];
  return {
    asked,
    ids: () => items.keys(),
    get(id) {
      asked.push(id);
      return items.get(id);
    },
  };
};

/** A pairing that counts how often it is encoded. */
function countedPairing(id: string): [Pairing, () => number] {
  let encoded = 0;
  const toJSON = (): Pairing => {
    encoded += 1;
    return pairing(id);
  };
  return [Object.assign(pairing(id), { toJSON }), () => encoded];
}

const A = "0000000000000000";
const B = "1111111111111111";

/** A watcher that keeps what it is told, as long as it has room. */
class TestWatcher implements Watcher {
  readonly messages: string[] = [];
  hasRoom = true;
  isLost = false;

  take(message: Buffer): void {
    this.messages.push(String(message));
  }

  lost(): void {
    this.isLost = true;
  }
}

const messagesOf = (watcher: TestWatcher) =>
  watcher.messages.map((text) => eventMessageSchema.parse(JSON.parse(text)));

function makeHub(backlogMaxBytes = 1_048_576) {
  const clock = new FakeClock();
  const pairings = new Map([[A, pairing(A)]]);
  const source = lookup(pairings);
  const sources = emptySources();
  const { log, lines: logLines } = testLog();
  const all = { ...sources, server: () => STATUS, pairing: source };
  const hub = new EventHub({ sources: all, clock, log, backlogMaxBytes });
  const watcher = new TestWatcher();
  const { messages } = watcher;
  return { clock, pairings, source, hub, messages, watcher, logLines };
}

describe("the event hub", () => {
  it("sends everything there is, then what changed, numbered without a gap", () => {
    const { clock, pairings, hub, messages, watcher } = makeHub();
    hub.watch(watcher);
    pairings.set(B, pairing(B));
    hub.touch("pairing", B);
    clock.advance(50);
    pairings.delete(A);
    hub.touch("pairing", A);
    clock.advance(50);

    const snapshot = snapshotSchema.parse(JSON.parse(messages[0] ?? ""));
    expect(snapshot.pairings.map(({ id }) => id)).toEqual([A]);
    const deltas = messages.slice(1).map((text) => deltaSchema.parse(JSON.parse(text)));
    expect(deltas.map(({ seq }) => seq)).toEqual([snapshot.seq + 1, snapshot.seq + 2]);
    expect(deltas[0]?.changes).toMatchObject([{ entity: "pairing", id: B, value: { id: B } }]);
    expect(deltas[1]?.changes).toEqual([{ entity: "pairing", id: A, value: null }]);
  });

  it("tells a burst of changes of one thing once, with its last value", () => {
    const { clock, source, hub, messages, watcher } = makeHub();
    hub.watch(watcher);
    for (let n = 0; n < 1_000; n++) hub.touch("pairing", A);
    source.asked.length = 0;
    clock.advance(49);
    expect(messages).toHaveLength(1);
    clock.advance(1);
    expect(messages).toHaveLength(2);
    expect(source.asked).toEqual([A]);
  });

  it("does nothing while nobody watches", () => {
    const { clock, source, hub, watcher } = makeHub();
    hub.touch("pairing", A);
    hub.watch(watcher);
    hub.unwatch(watcher);
    hub.touch("pairing", A);
    expect(clock.timers).toBe(0);
    expect(source.asked).toEqual([A]);
  });

  it("sends the same text to all watchers", () => {
    const { clock, hub } = makeHub();
    const [one, other] = [new TestWatcher(), new TestWatcher()];
    hub.watch(one);
    hub.watch(other);
    hub.touch("server", "");
    clock.advance(50);
    expect(one.messages).toHaveLength(2);
    expect(one.messages).toEqual(other.messages);
  });

  it("tells a storm in pieces of at most a thousand changes", () => {
    const { clock, hub, messages, watcher } = makeHub();
    hub.watch(watcher);
    for (let n = 0; n < 2_500; n++) hub.touch("client", String(n));
    clock.advance(100);
    const sizes = messages.slice(1).map((text) => JSON.parse(text).changes.length);
    expect(sizes).toEqual([1_000, 1_000, 500]);
  });

  it("encodes a message once for all who may see the same", () => {
    const { clock, pairings, hub } = makeHub();
    const others: Sight = { ...EVERYTHING };
    const watchers = [new TestWatcher(), new TestWatcher(), new TestWatcher()];
    const [one, other, third] = watchers as [TestWatcher, TestWatcher, TestWatcher];
    hub.watch(one);
    hub.watch(other, EVERYTHING);
    hub.watch(third, others);
    const [counted, encoded] = countedPairing(B);
    pairings.set(B, counted);
    hub.touch("pairing", B);
    clock.advance(50);
    expect(encoded()).toBe(1);
    expect(new Set(watchers.map(({ messages }) => messages[1])).size).toBe(1);
    expect(hub.watchers).toBe(3);
  });

  it("tells a watcher nothing of what it may not see, neither at first nor when it changes", () => {
    const { clock, pairings, hub, messages, watcher } = makeHub();
    const hidden = new Set([A]);
    pairings.set(B, pairing(B));
    hub.watch(watcher, sightWithout(hidden));
    hub.touch("pairing", A);
    clock.advance(50);
    hub.touch("pairing", A);
    hub.touch("pairing", B);
    clock.advance(50);
    pairings.delete(A);
    hub.touch("pairing", A);
    clock.advance(50);
    expect(messages.join()).not.toContain(A);
    const [first, second, ...rest] = messages;
    expect(snapshotSchema.parse(JSON.parse(first ?? "")).pairings).toMatchObject([{ id: B }]);
    expect(deltaSchema.parse(JSON.parse(second ?? ""))).toMatchObject({
      seq: 1,
      changes: [{ entity: "pairing", id: B, value: { id: B } }],
    });
    expect(rest).toEqual([]);
  });

  it("tells a watcher that is gone for it what it may see no longer, once", () => {
    const { clock, pairings, hub, messages, watcher } = makeHub();
    const hidden = new Set<string>();
    pairings.set(B, pairing(B));
    hub.watch(watcher, sightWithout(hidden));
    hidden.add(A);
    for (let n = 0; n < 2; n++) {
      hub.touch("pairing", A);
      clock.advance(50);
    }
    hidden.delete(A);
    hub.touch("pairing", A);
    clock.advance(50);
    const deltas = messages.slice(1).map((text) => deltaSchema.parse(JSON.parse(text)));
    expect(deltas.map(({ seq, changes }) => [seq, changes])).toMatchObject([
      [1, [{ id: A, value: null }]],
      [2, [{ id: A, value: { id: A } }]],
    ]);
  });
});

/** Sees everything but the pairings with these ids. */
function sightWithout(hidden: ReadonlySet<string>): Sight {
  return {
    ...EVERYTHING,
    isWhole: false,
    shown: (_entity, value) => ("id" in value && hidden.has(String(value.id)) ? undefined : value),
  };
}

/** Many pairings with much to say. */
function largePairings(count: number): Map<string, Pairing> {
  const ids = Array.from({ length: count }, (_, n) => String(n).padStart(16, "0"));
  const claims = Array.from({ length: 40 }, (_, n) => ({
    at: "2030-01-01T00:00:00Z",
    address: `2001:db8::${n}`,
    client_id: clientIdSchema.parse(`host-${n}`),
    hostname: "h".repeat(200),
  }));
  return new Map(ids.map((id) => [id, { ...pairing(id), claims }]));
}

describe("a snapshot of much", () => {
  it("comes in pieces of a bounded size, and says with the last that it is complete", async () => {
    const { pairings, hub, watcher, messages } = makeHub();
    for (const [id, value] of largePairings(500)) pairings.set(id, value);
    hub.watch(watcher);
    await eventually(() => expect(messagesOf(watcher).at(-1)).toMatchObject({ more: false }));

    const parts = messagesOf(watcher).filter((message) => message.type !== "delta");
    expect(parts.length).toBeGreaterThan(5);
    expect(parts.map(({ type }) => type)).toEqual([
      "snapshot",
      ...Array(parts.length - 1).fill("piece"),
    ]);
    expect(parts.slice(0, -1).every(({ more }) => more)).toBe(true);
    expect(parts.flatMap((part) => part.pairings.map(({ id }) => id))).toEqual([
      ...pairings.keys(),
    ]);
    const largest = Math.max(...messages.map((text) => Buffer.byteLength(text)));
    expect(largest).toBeLessThan(EVENT_MESSAGE_MAX_BYTES / 2);
  });

  it("is encoded once for all who come at the same seq, and is the same bytes for them", async () => {
    const { pairings, hub } = makeHub();
    for (const [id, value] of largePairings(200)) pairings.set(id, value);
    const [counted, encoded] = countedPairing(B);
    pairings.set(B, counted);
    const watchers = Array.from({ length: 50 }, () => new TestWatcher());
    for (const watcher of watchers) hub.watch(watcher);
    await eventually(() => {
      for (const { messages } of watchers) expect(messages.at(-1)).toMatch(/"more":false}$/);
    });
    expect(encoded()).toBe(1);
    expect(new Set(watchers.map(({ messages }) => messages.join("\n"))).size).toBe(1);
  });

  it("loses no change that happens while it is sent, and tells none twice", async () => {
    const { clock, pairings, hub, watcher } = makeHub();
    const all = largePairings(300);
    for (const [id, value] of all) pairings.set(id, value);
    hub.watch(watcher);
    const ids = [...all.keys()];
    const [first = "", last = ""] = [ids[0], ids.at(-1)];
    const changed = { ...pairing(first), uses_left: 0 };
    pairings.set(first, changed);
    pairings.delete(last);
    hub.touch("pairing", first);
    hub.touch("pairing", last);
    clock.advance(50);
    expect(messagesOf(watcher).every(({ type }) => type !== "delta")).toBe(true);
    const late = new TestWatcher();
    hub.watch(late);

    for (const one of [watcher, late]) {
      await eventually(() => expect(one.messages.at(-1)).toContain('"delta"'));
      const mirror = new Mirror();
      const applied = messagesOf(one).map((message) => mirror.apply(message).kind);
      expect(applied.filter((kind) => kind === "changed")).toEqual(["changed"]);
      expect(applied).not.toContain("gap");
      expect(mirror.maps.pairings.get(first)).toEqual(changed);
      expect([...mirror.maps.pairings.keys()]).toEqual(ids.slice(0, -1));
    }
  });

  it("stays where it is shared while a watcher has no room, which then reads on", async () => {
    const { clock, pairings, hub, watcher } = makeHub();
    for (const [id, value] of largePairings(300)) pairings.set(id, value);
    watcher.hasRoom = false;
    const quick = new TestWatcher();
    hub.watch(watcher);
    hub.watch(quick);
    await eventually(() => expect(messagesOf(quick).at(-1)).toMatchObject({ more: false }));
    hub.touch("pairing", A);
    clock.advance(50);
    expect(watcher.messages).toEqual([]);
    watcher.hasRoom = true;
    hub.resume(watcher);
    await eventually(() => expect(watcher.messages).toEqual(quick.messages));
    expect(watcher.messages.at(-1)).toContain('"delta"');
  });

  it("is made anew for those who come long after, from what there is then", async () => {
    const { clock, pairings, hub, watcher } = makeHub();
    hub.watch(watcher);
    clock.advance(10_000);
    pairings.set(B, pairing(B));
    const late = new TestWatcher();
    hub.watch(late);
    expect(messagesOf(late)).toMatchObject([{ pairings: [{ id: A }, { id: B }] }]);
  });
});

describe("a watcher that does not read", () => {
  it("is given up once more changes wait for it than are kept, and the others go on", () => {
    const { clock, hub, watcher } = makeHub(2_000);
    const quick = new TestWatcher();
    hub.watch(watcher);
    hub.watch(quick);
    watcher.hasRoom = false;
    for (let told = 0; !watcher.isLost && told < 100; told += 1) {
      hub.touch("pairing", A);
      clock.advance(50);
    }
    expect(watcher.isLost).toBe(true);
    expect(quick.isLost).toBe(false);
    expect(hub.watchers).toBe(1);
    const seqs = messagesOf(quick).map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.map((_, n) => n));
    hub.resume(watcher);
    expect(watcher.messages).toHaveLength(1);
  });
});

describe("F-25 a thing that cannot be shown", () => {
  it("is missing, in the snapshot and in a delta, and nothing else is", () => {
    const { clock, pairings, hub, watcher, logLines } = makeHub();
    const toJSON = (): never => {
      throw new Error("broken on purpose");
    };
    pairings.set(B, Object.assign(pairing(B), { toJSON }));
    hub.watch(watcher);
    hub.touch("pairing", B);
    hub.touch("server", "");
    clock.advance(50);
    expect(messagesOf(watcher)).toMatchObject([
      { type: "snapshot", pairings: [{ id: A }] },
      { changes: [{ entity: "pairing", id: B, value: null }, { entity: "server" }] },
    ]);
    expect(logLines.join("\n")).toContain("broken on purpose");
  });

  it("ends a watcher that throws, and no other", () => {
    const { clock, hub, watcher } = makeHub();
    const broken = new TestWatcher();
    hub.watch(broken);
    hub.watch(watcher);
    broken.take = () => {
      throw new Error("broken on purpose");
    };
    hub.touch("server", "");
    clock.advance(50);
    expect([broken.isLost, watcher.isLost, hub.watchers]).toEqual([true, false, 1]);
    expect(watcher.messages).toHaveLength(2);
  });
});
