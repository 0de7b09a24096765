import { RportError } from "@rport/protocol/errors";
import { authIdSchema, clientIdSchema, secretIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import { mergeWith } from "../../../../../backend/src/adoption/adoptions.ts";
import type { LiveSession } from "../../../../../backend/src/clients/liveSession.ts";
import { LocalPresence } from "../../../../../backend/src/clients/registry/presence.ts";
import { ClientRegistry } from "../../../../../backend/src/clients/registry/registry.ts";
import { takeOver } from "../../../../../backend/src/clients/session/takeOver.ts";
import { touchedBy } from "../../../../../backend/src/events/touched.ts";
import { Limits } from "../../../../../backend/src/limits/limits.ts";
import type { SetLimits } from "../../../../../backend/src/limits/limitTable.ts";
import type { ClientRecord } from "../../../../../backend/src/store/records/clientRecord.ts";
import { openStore, type Store } from "../../../../../backend/src/store/store.ts";
import { clientRecord } from "../../../../support/backend/records.ts";
import { FakeClock } from "../../../../support/clock.ts";
import { FaultyStore } from "../../../../support/faults/faultyStore.ts";
import { testLog } from "../../../../support/log.ts";
import { tempDirectory } from "../../../../support/tempDirectory.ts";

const nobodyToCut = () => Promise.resolve();
const ONE = clientIdSchema.parse("machine-1");
const FLEET = authIdSchema.parse("fleet");
const OTHER = authIdSchema.parse("other");

interface SetUp extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly lines: readonly string[];
  readonly touched: string[];
  readonly store: Store;
  readonly edits: FaultyStore;
  readonly presence: LocalPresence<LiveSession>;
  readonly registry: ClientRegistry;
  /** The ids of the records on disk. */
  onDisk(): Promise<string[]>;
}

/** A registry on a real store that has these records. */
async function setUp(
  records: readonly ClientRecord[] = [],
  limits: SetLimits = {},
): Promise<SetUp> {
  await using opened = new AsyncDisposableStack();
  const clock = new FakeClock();
  const { log, lines } = testLog();
  const touched: string[] = [];
  const directory = opened.use(await tempDirectory());
  const store = await openStore({ directory: directory.path, clock, log });
  opened.defer(() => store.close());
  await store.edits.settle(records.map((record) => ({ kind: "seen", record })));
  const edits = new FaultyStore(store.edits);
  const presence = new LocalPresence<LiveSession>();
  const touch = (entity: string, id: string) => void touched.push(`${entity} ${id}`.trim());
  const registry = await ClientRegistry.open({
    store: edits,
    presence,
    clock,
    log,
    touch,
    limits: new Limits({ values: limits, clock, log }),
  });
  edits.follow((done) => {
    for (const [entity, id] of touchedBy(done, registry)) touch(entity, id);
  });
  const onDisk = async () => (await store.clientRows.all()).map(({ id }) => id);
  const closing = opened.move();
  const dispose = () => closing.disposeAsync();
  return {
    clock,
    lines,
    touched,
    store,
    edits,
    presence,
    registry,
    onDisk,
    [Symbol.asyncDispose]: dispose,
  };
}

/** As much of a session as the registry looks at. */
function session(clientId = ONE, credentialId = FLEET): LiveSession & { readonly cuts: string[] } {
  const cuts: string[] = [];
  const never = () => Promise.reject(new Error("not in this test"));
  return {
    clientId,
    credentialId,
    secretId: secretIdSchema.parse("secret-1"),
    features: [],
    cuts,
    get isClosed() {
      return cuts.length > 0;
    },
    agentSessionId: "",
    hostKey: undefined,
    silentMs: 0,
    lastHeardAtMs: undefined,
    end: undefined,
    canBePinged: true,
    hasTunnelRules: true,
    ask: never,
    askLong: never,
    openChannel: never,
    ping: never,
    isHeardWithin: never,
    offerSecret: never,
    adoptSecret: () => {},
    cut: (reason) => void cuts.push(reason),
    notify: () => {},
    dismiss: (reason) => void cuts.push(reason),
    gone: Promise.resolve(),
  };
}

function connect({ registry, presence }: SetUp, one: LiveSession): void {
  presence.enter(one);
  const id = one.clientId ?? ONE;
  presence.claim(id, one);
  registry.connect(clientRecord({ id, client_auth_id: one.credentialId }), one);
}

describe("the registry", () => {
  it("takes everybody for disconnected at its start, and says so on disk", async () => {
    await using self = await setUp([clientRecord({ connected_at: "2029-12-31T23:00:00Z" })]);
    const { registry, clock, store } = self;
    const disconnected_at = "2030-01-01T00:00:00.000Z";
    expect(registry.record(ONE)).toMatchObject({ disconnected_at });
    expect(registry.clientOf(ONE)?.connected).toBe(false);
    clock.advance(200);
    await registry.close();
    expect(await store.clientRows.all()).toMatchObject([{ id: ONE, disconnected_at }]);
  });

  it("writes a login and what follows it once", async () => {
    await using self = await setUp();
    const { registry, clock, edits, store } = self;
    connect(self, session());
    registry.keepTunnels(ONE, []);
    registry.adoptSecret(ONE, secretIdSchema.parse("secret-2"));
    expect(edits.writes).toBe(0);
    clock.advance(200);
    await registry.close();
    expect(edits.writes).toBe(1);
    expect(await store.clientRows.all()).toMatchObject([{ id: ONE, secret_id: "secret-2" }]);
  });

  it("tries again later when the disk is full", async () => {
    await using self = await setUp();
    const { registry, clock, lines, edits, onDisk } = self;
    edits.refuseOnce(new RportError("DISK_FULL", "The disk is full."));
    connect(self, session());
    await registry.close();
    expect(await onDisk()).toEqual([]);
    expect(lines.join()).toContain("The disk is full.");
    clock.advance(5_000);
    await registry.close();
    expect(await onDisk()).toEqual([ONE]);
  });

  it("counts each credential's clients as they come, go and change their credential", async () => {
    await using self = await setUp();
    const { registry, touched } = self;
    const first = session();
    connect(self, first);
    expect(registry.countOf(FLEET)).toEqual({ total: 1, connected: 1 });
    registry.disconnect(first);
    expect(registry.countOf(FLEET)).toEqual({ total: 1, connected: 0 });
    touched.length = 0;
    connect(self, session(ONE, OTHER));
    expect(registry.countOf(FLEET)).toEqual({ total: 0, connected: 0 });
    expect(registry.countOf(OTHER)).toEqual({ total: 1, connected: 1 });
    expect(new Set(touched)).toEqual(
      new Set(["client machine-1", "credential fleet", "credential other", "server"]),
    );
  });

  it("is not misled by the late end of a connection that was replaced", async () => {
    await using self = await setUp();
    const { registry, presence } = self;
    const [before, after] = [session(), session()];
    connect(self, before);
    connect(self, after);
    registry.disconnect(before);
    expect(presence.connected(ONE)).toBe(after);
    expect(presence.locate(ONE)).toBe(after);
    expect(registry.countOf(FLEET)).toEqual({ total: 1, connected: 1 });
    expect(registry.counts).toEqual({ connected: 1, disconnected: 0 });
  });

  it("removes only a client that is not connected", async () => {
    await using self = await setUp();
    const { registry, clock, onDisk } = self;
    const one = session();
    connect(self, one);
    await expect(registry.remove(ONE)).rejects.toMatchObject({ code: "BAD_REQUEST" });
    registry.disconnect(one);
    clock.advance(200);
    await registry.remove(ONE);
    await registry.close();
    expect(await onDisk()).toEqual([]);
    expect([...registry.records()]).toEqual([]);
    await expect(registry.remove(ONE)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("keeps the record of a revoked client, which is its mark, whatever is deleted", async () => {
    await using self = await setUp();
    const { registry, onDisk } = self;
    const [one, gone] = [session(), session(clientIdSchema.parse("machine-2"))];
    for (const each of [one, gone]) {
      connect(self, each);
      registry.disconnect(each);
    }
    const removed = registry.remove(ONE);
    await registry.revoke(ONE, nobodyToCut).catch(() => undefined);
    await removed;
    connect(self, one);
    registry.disconnect(one);
    await registry.revoke(ONE, nobodyToCut);
    expect(() => registry.requireRemovable(ONE)).toThrow("allow it again first");
    await expect(registry.remove(ONE)).rejects.toMatchObject({ code: "CONFLICT" });
    await registry.purge(FLEET);
    expect(await onDisk()).toEqual([ONE]);
    expect([...registry.records()]).toMatchObject([{ id: ONE, revoked_at: expect.any(String) }]);
    await registry.allow(ONE);
    await registry.remove(ONE);
    expect([...registry.records()]).toEqual([]);
  });

  it("does what was asked last when a client is revoked and allowed at the same time", async () => {
    await using self = await setUp();
    const { registry } = self;
    const one = session();
    connect(self, one);
    registry.disconnect(one);
    await registry.revoke(ONE, nobodyToCut);
    await Promise.all([registry.allow(ONE), registry.revoke(ONE, nobodyToCut)]);
    expect(registry.clientOf(ONE)?.isRevoked).toBe(true);
    const removing = registry.revoke(ONE, nobodyToCut).then(() => registry.remove(ONE));
    await expect(removing).rejects.toMatchObject({ code: "CONFLICT" });
    await Promise.all([registry.revoke(ONE, nobodyToCut), registry.allow(ONE)]);
    expect(registry.clientOf(ONE)?.isRevoked).toBe(false);
  });

  it("purges a credential's clients: cut, forgotten, off the disk; others stay", async () => {
    await using self = await setUp();
    const { registry, presence, onDisk } = self;
    const mine = session();
    connect(self, mine);
    connect(self, session(clientIdSchema.parse("machine-2"), OTHER));
    await registry.close();
    await registry.purge(FLEET);
    expect(mine.cuts).toHaveLength(1);
    expect(await onDisk()).toEqual(["machine-2"]);
    expect(registry.counts).toEqual({ connected: 1, disconnected: 0 });
    registry.disconnect(mine);
    expect(presence.locate(ONE)).toBeUndefined();
  });

  it("answers who belongs to a credential", async () => {
    await using self = await setUp();
    const { registry } = self;
    connect(self, session());
    expect(registry.clientsOf(FLEET)).toMatchObject([
      { id: ONE, name: "web", connected: true, tunnels: 0, secretId: undefined },
    ]);
    expect(registry.clientsOf(OTHER)).toEqual([]);
  });
});

describe("adopting a record", () => {
  const OLD = clientIdSchema.parse("machine-0");
  const ALONE = { edits: [], merge: mergeWith([]) };

  function twoRecords(): Promise<SetUp> {
    const away = { disconnected_at: "2029-12-31T23:00:00Z" };
    return setUp([
      clientRecord({ id: OLD, name: "web-01", tags: ["prod"], ...away }),
      clientRecord({ id: ONE, name: "", ...away }),
    ]);
  }

  it("changes nothing when the disk does not take it", async () => {
    await using self = await twoRecords();
    const { registry, edits, onDisk } = self;
    const before = [...registry.records()];
    edits.refuseOnce(new RportError("DISK_FULL", "The disk is full."));
    const adopting = registry.adopt(ONE, OLD, ALONE);
    expect(registry.record(OLD)).toBeUndefined();
    await expect(adopting).rejects.toMatchObject({ code: "DISK_FULL" });
    expect([...registry.records()]).toEqual(expect.arrayContaining(before));
    expect(registry.countOf(FLEET)).toEqual({ total: 2, connected: 0 });
    await registry.close();
    expect(await onDisk()).toEqual([OLD, ONE]);
    await registry.adopt(ONE, OLD, ALONE);
    expect([...registry.records()]).toMatchObject([{ id: ONE, name: "web-01", tags: ["prod"] }]);
    expect(await onDisk()).toEqual([ONE]);
  });

  it("loses no revocation that comes at the same moment, and no second adoption", async () => {
    await using self = await twoRecords();
    const { registry } = self;
    const adopting = registry.adopt(ONE, OLD, ALONE);
    const revoking = registry.revoke(OLD, nobodyToCut);
    const again = registry.adopt(OLD, ONE, ALONE);
    await expect(revoking).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(again).rejects.toMatchObject({ code: "NOT_FOUND" });
    await adopting;
    expect([...registry.records()]).toMatchObject([{ id: ONE, name: "web-01" }]);
  });

  it("lets nobody in as one of the two until it is on disk", async () => {
    await using self = await twoRecords();
    const { registry, presence, edits } = self;
    const write = edits.hold(({ kind }) => kind === "adopt");
    const adopting = registry.adopt(ONE, OLD, ALONE);
    await write.arrived;
    const order: string[] = [];
    const [id, one] = [OLD, session(OLD)];
    const claimant = { id, session: one, address: "", hostname: "" };
    const joining = takeOver({ registry, presence }, claimant);
    void joining.then(() => order.push("joined"));
    await new Promise(setImmediate);
    order.push("written");
    write.goOn();
    await Promise.all([adopting, joining]);
    expect(order).toEqual(["written", "joined"]);
    expect(presence.locate(OLD)).toBe(one);
  });

  it("is refused where one record cannot hold both", async () => {
    const tags = (letter: string, count: number) =>
      Array.from({ length: count }, (_, n) => `${letter}${n}`);
    await using self = await setUp([
      clientRecord({ id: OLD, tags: tags("a", 200) }),
      clientRecord({ id: ONE, tags: tags("b", 57) }),
    ]);
    const { registry } = self;
    await expect(registry.adopt(ONE, OLD, ALONE)).rejects.toMatchObject({ code: "CONFLICT" });
    expect([...registry.records()]).toHaveLength(2);
  });
});
