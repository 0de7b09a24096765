import { RportError } from "@rport/protocol/errors";
import { authIdSchema, clientIdSchema, secretIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import type { LiveSession } from "../../../../../backend/src/clients/liveSession.ts";
import { ClientRegistry } from "../../../../../backend/src/clients/registry/registry.ts";
import { takeOver } from "../../../../../backend/src/clients/session/takeOver.ts";
import { MemoryRows } from "../../../../support/agents/agentSide.ts";
import { clientRecord } from "../../../../support/backend/records.ts";
import { FakeClock } from "../../../../support/clock.ts";
import { testLog } from "../../../../support/log.ts";

const ONE = clientIdSchema.parse("machine-1");
const FLEET = authIdSchema.parse("fleet");
const OTHER = authIdSchema.parse("other");

async function setUp(rows = new MemoryRows()) {
  const clock = new FakeClock();
  const { log, lines } = testLog();
  const touched: string[] = [];
  const registry = await ClientRegistry.open({
    rows,
    clock,
    log,
    secretOf: () => null,
    touch: (entity, id) => touched.push(`${entity} ${id}`.trim()),
  });
  return { rows, clock, lines, touched, registry };
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
    hostKey: null,
    silentMs: 0,
    lastHeardAtMs: null,
    canBePinged: true,
    ask: never,
    askLong: never,
    openChannel: never,
    ping: never,
    offerSecret: never,
    adoptSecret: () => {},
    cut: (reason) => void cuts.push(reason),
  };
}

function connect(registry: ClientRegistry, one: LiveSession): void {
  registry.addSession(one);
  const id = one.clientId ?? ONE;
  registry.hold(id, one);
  registry.connect(clientRecord({ id, client_auth_id: one.credentialId }), one);
}

describe("the registry", () => {
  it("takes everybody for disconnected at its start, and says so on disk", async () => {
    const rows = new MemoryRows();
    await rows.put(clientRecord({ connected_at: "2029-12-31T23:00:00Z" }));
    const { registry, clock } = await setUp(rows);
    expect(registry.get(ONE)).toMatchObject({
      connection_state: "disconnected",
      disconnected_at: "2030-01-01T00:00:00.000Z",
    });
    clock.advance(200);
    await registry.close();
    expect(rows.records.get(ONE)?.disconnected_at).toBe("2030-01-01T00:00:00.000Z");
  });

  it("writes a login and what follows it once", async () => {
    const { registry, rows, clock } = await setUp();
    connect(registry, session());
    registry.keepTunnels(ONE, []);
    registry.adoptSecret(ONE, secretIdSchema.parse("secret-2"));
    expect(rows.writes).toBe(0);
    clock.advance(200);
    await registry.close();
    expect(rows.writes).toBe(1);
    expect(rows.records.get(ONE)?.secret_id).toBe("secret-2");
  });

  it("tries again later when the disk is full", async () => {
    const { registry, rows, clock, lines } = await setUp();
    rows.failure = new RportError("DISK_FULL", "The disk is full.");
    connect(registry, session());
    await registry.close();
    expect(rows.records.size).toBe(0);
    expect(lines.join()).toContain("The disk is full.");
    clock.advance(5_000);
    await registry.close();
    expect(rows.records.has(ONE)).toBe(true);
  });

  it("counts each credential's clients as they come, go and change their credential", async () => {
    const { registry, touched } = await setUp();
    const first = session();
    connect(registry, first);
    expect(registry.countOf(FLEET)).toEqual({ total: 1, connected: 1 });
    registry.end(first);
    expect(registry.countOf(FLEET)).toEqual({ total: 1, connected: 0 });
    touched.length = 0;
    connect(registry, session(ONE, OTHER));
    expect(registry.countOf(FLEET)).toEqual({ total: 0, connected: 0 });
    expect(registry.countOf(OTHER)).toEqual({ total: 1, connected: 1 });
    expect(new Set(touched)).toEqual(
      new Set(["client machine-1", "credential fleet", "credential other", "server"]),
    );
  });

  it("is not misled by the late end of a connection that was replaced", async () => {
    const { registry } = await setUp();
    const [before, after] = [session(), session()];
    connect(registry, before);
    connect(registry, after);
    registry.end(before);
    expect(registry.live(ONE)).toBe(after);
    expect(registry.holder(ONE)).toBe(after);
    expect(registry.countOf(FLEET)).toEqual({ total: 1, connected: 1 });
    expect(registry.counts).toEqual({ connected: 1, disconnected: 0 });
  });

  it("removes only a client that is not connected", async () => {
    const { registry, rows, clock } = await setUp();
    const one = session();
    connect(registry, one);
    await expect(registry.remove(ONE)).rejects.toMatchObject({ code: "BAD_REQUEST" });
    registry.end(one);
    clock.advance(200);
    await registry.remove(ONE);
    await registry.close();
    expect(rows.records.size).toBe(0);
    expect(registry.list()).toEqual([]);
    await expect(registry.remove(ONE)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("keeps the record of a revoked client, which is its mark, whatever is deleted", async () => {
    const { registry, rows } = await setUp();
    const [one, gone] = [session(), session(clientIdSchema.parse("machine-2"))];
    for (const each of [one, gone]) {
      connect(registry, each);
      registry.end(each);
    }
    const removed = registry.remove(ONE);
    await registry.setRevoked(ONE, true).catch(() => undefined);
    await removed;
    connect(registry, one);
    registry.end(one);
    await registry.setRevoked(ONE, true);
    expect(() => registry.requireRemovable(ONE)).toThrow("allow it again first");
    await expect(registry.remove(ONE)).rejects.toMatchObject({ code: "CONFLICT" });
    await registry.purge(FLEET);
    expect([...rows.records.keys()]).toEqual([ONE]);
    expect(registry.list()).toMatchObject([{ id: ONE, revoked_at: expect.any(String) }]);
    await registry.setRevoked(ONE, false);
    await registry.remove(ONE);
    expect(registry.list()).toEqual([]);
  });

  it("does what was asked last when a client is revoked and allowed at the same time", async () => {
    const { registry } = await setUp();
    const one = session();
    connect(registry, one);
    registry.end(one);
    await registry.setRevoked(ONE, true);
    await Promise.all([registry.setRevoked(ONE, false), registry.setRevoked(ONE, true)]);
    expect(registry.clientOf(ONE)?.isRevoked).toBe(true);
    const removing = registry.setRevoked(ONE, true).then(() => registry.remove(ONE));
    await expect(removing).rejects.toMatchObject({ code: "CONFLICT" });
    await Promise.all([registry.setRevoked(ONE, true), registry.setRevoked(ONE, false)]);
    expect(registry.clientOf(ONE)?.isRevoked).toBe(false);
  });

  it("purges a credential's clients: cut, forgotten, off the disk; others stay", async () => {
    const { registry, rows } = await setUp();
    const mine = session();
    connect(registry, mine);
    connect(registry, session(clientIdSchema.parse("machine-2"), OTHER));
    await registry.close();
    await registry.purge(FLEET);
    expect(mine.cuts).toHaveLength(1);
    expect([...rows.records.keys()]).toEqual(["machine-2"]);
    expect(registry.counts).toEqual({ connected: 1, disconnected: 0 });
    registry.end(mine);
    expect(registry.holder(ONE)).toBeUndefined();
  });

  it("answers who belongs to a credential", async () => {
    const { registry } = await setUp();
    connect(registry, session());
    expect(registry.clientsOf(FLEET)).toMatchObject([
      { id: ONE, name: "web", connected: true, tunnels: 0, secretId: null },
    ]);
    expect(registry.clientsOf(OTHER)).toEqual([]);
  });
});

describe("moving a record into another one", () => {
  const OLD = clientIdSchema.parse("machine-0");

  async function twoRecords() {
    const rows = new MemoryRows();
    const away = { disconnected_at: "2029-12-31T23:00:00Z" };
    await rows.put(clientRecord({ id: OLD, name: "web-01", tags: ["prod"], ...away }));
    await rows.put(clientRecord({ id: ONE, name: "", ...away }));
    return await setUp(rows);
  }

  it("changes nothing when the disk does not take it", async () => {
    const { registry, rows } = await twoRecords();
    const before = registry.list();
    rows.failure = new RportError("DISK_FULL", "The disk is full.");
    const moving = registry.move(ONE, OLD);
    expect(registry.get(OLD)).toBeUndefined();
    await expect(moving).rejects.toMatchObject({ code: "DISK_FULL" });
    expect(registry.list()).toEqual(expect.arrayContaining(before));
    expect(registry.list()).toHaveLength(2);
    expect(registry.countOf(FLEET)).toEqual({ total: 2, connected: 0 });
    await registry.close();
    expect([...rows.records.keys()].sort()).toEqual([OLD, ONE]);
    await registry.move(ONE, OLD);
    expect(registry.list()).toMatchObject([{ id: ONE, name: "web-01", tags: ["prod"] }]);
    expect([...rows.records.keys()]).toEqual([ONE]);
  });

  it("loses no revocation that comes at the same moment, and no second move", async () => {
    const { registry } = await twoRecords();
    const moving = registry.move(ONE, OLD);
    const revoking = registry.setRevoked(OLD, true);
    const again = registry.move(OLD, ONE);
    await expect(revoking).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(again).rejects.toMatchObject({ code: "NOT_FOUND" });
    await moving;
    expect(registry.list()).toMatchObject([{ id: ONE, name: "web-01" }]);
  });

  it("lets nobody in as one of the two until it is on disk", async () => {
    const { registry, rows } = await twoRecords();
    const written = Promise.withResolvers<void>();
    const move = rows.move.bind(rows);
    rows.move = async (record, from) => {
      await written.promise;
      await move(record, from);
    };
    const moving = registry.move(ONE, OLD);
    await Promise.resolve();
    const order: string[] = [];
    const [id, one] = [OLD, session(OLD)];
    const joining = takeOver(registry, { id, session: one, address: "", hostname: "" });
    void joining.then(() => order.push("joined"));
    await new Promise(setImmediate);
    order.push("written");
    written.resolve();
    await Promise.all([moving, joining]);
    expect(order).toEqual(["written", "joined"]);
    expect(registry.holder(OLD)).toBe(one);
  });

  it("is refused where one record cannot hold both", async () => {
    const rows = new MemoryRows();
    await rows.put(clientRecord({ id: OLD, tags: Array.from({ length: 200 }, (_, n) => `a${n}`) }));
    await rows.put(clientRecord({ id: ONE, tags: Array.from({ length: 57 }, (_, n) => `b${n}`) }));
    const { registry } = await setUp(rows);
    await expect(registry.move(ONE, OLD)).rejects.toMatchObject({ code: "CONFLICT" });
    expect(registry.list()).toHaveLength(2);
  });
});
