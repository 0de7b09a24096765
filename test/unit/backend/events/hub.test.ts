import { deltaSchema, snapshotSchema } from "@rport/protocol/events";
import { authIdSchema, pairingIdSchema } from "@rport/protocol/ids";
import type { Pairing, ServerStatus } from "@rport/protocol/model";
import { describe, expect, it } from "vitest";
import { EVERYTHING, type Sight } from "../../../../backend/src/events/audience.ts";
import { EventHub, type Lookup } from "../../../../backend/src/events/hub.ts";
import { emptySources } from "../../../support/backend/eventSources.ts";
import { FakeClock } from "../../../support/clock.ts";

const STATUS: ServerStatus = {
  version: "1",
  clients_connected: 0,
  clients_disconnected: 0,
  fingerprint: "",
  fingerprint_sha256: "",
  connect_url: [],
  pairing_url: "",
  clients_auth_source: "",
  clients_auth_mode: "Read Write",
};

const pairing = (id: string): Pairing => ({
  id: pairingIdSchema.parse(id),
  credential_id: authIdSchema.parse("fleet"),
  state: "active",
  created_at: "2030-01-01T00:00:00Z",
  expires_at: "2030-01-01T00:10:00Z",
  uses: 1,
  uses_left: 1,
  claims: [],
});

const lookup = <T extends { id: string }>(
  items: Map<string, T>,
): Lookup<T> & { asked: string[] } => {
  const asked: string[] = [];
  return {
    asked,
    list: () => [...items.values()],
    get(id) {
      asked.push(id);
      return items.get(id);
    },
  };
};

const A = "0000000000000000";
const B = "1111111111111111";

function makeHub() {
  const clock = new FakeClock();
  const pairings = new Map([[A, pairing(A)]]);
  const source = lookup(pairings);
  const sources = emptySources();
  const hub = new EventHub({ ...sources, server: () => STATUS, pairing: source }, clock);
  const messages: string[] = [];
  const watcher = (message: string): void => {
    messages.push(message);
  };
  return { clock, pairings, source, hub, messages, watcher };
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
    expect(source.asked).toEqual([]);
  });

  it("sends the same text to all watchers", () => {
    const { clock, hub } = makeHub();
    const seen: string[][] = [[], []];
    for (const list of seen) hub.watch((message) => list.push(message));
    hub.touch("server", "");
    clock.advance(50);
    expect(seen[0]?.[1]).toBe(seen[1]?.[1]);
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
    const others: Sight = { maySee: () => true };
    const seen: string[] = [];
    hub.watch((message) => seen.push(message));
    hub.watch((message) => seen.push(message), EVERYTHING);
    hub.watch((message) => seen.push(message), others);
    seen.length = 0;
    let encoded = 0;
    const toJSON = (): Pairing => {
      encoded += 1;
      return pairing(B);
    };
    pairings.set(B, Object.assign(pairing(B), { toJSON }));
    hub.touch("pairing", B);
    clock.advance(50);
    expect(encoded).toBe(2);
    expect(seen).toHaveLength(3);
    expect(new Set(seen).size).toBe(1);
    expect(hub.watchers).toBe(3);
  });

  it("shows a watcher nothing that it may not see, neither at first nor when it changes", () => {
    const { clock, pairings, hub, messages, watcher } = makeHub();
    const sight: Sight = { maySee: (_entity, value) => value !== pairings.get(A) };
    pairings.set(B, pairing(B));
    hub.watch(watcher, sight);
    hub.touch("pairing", A);
    hub.touch("pairing", B);
    clock.advance(50);
    const [first, second] = messages;
    expect(snapshotSchema.parse(JSON.parse(first ?? "")).pairings).toMatchObject([{ id: B }]);
    expect(deltaSchema.parse(JSON.parse(second ?? "")).changes).toMatchObject([
      { entity: "pairing", id: A, value: null },
      { entity: "pairing", id: B, value: { id: B } },
    ]);
  });
});
