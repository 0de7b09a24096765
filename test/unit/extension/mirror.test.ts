import { type Change, deltaSchema } from "@rport/protocol/events";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ArrangedClients } from "../../../extension/src/model/arrange.ts";
import { Mirror } from "../../../extension/src/model/mirror.ts";
import { naturalKey } from "../../../extension/src/model/naturalKey.ts";
import { client, credential, offline, piece, snapshot, tunnel } from "./entities.ts";

const delta = (seq: number, changes: readonly unknown[]) =>
  deltaSchema.parse({ type: "delta", seq, at: "2030-01-01T00:00:01Z", changes });

/** A mirror and its arrangement, fed as a server feeds them. */
function follow(clients: Parameters<typeof snapshot>[0] = {}) {
  const mirror = new Mirror();
  const arranged = new ArrangedClients();
  mirror.apply(snapshot(clients));
  arranged.reset(mirror);
  let seq = 1;
  const change = (value: Change) => {
    seq += 1;
    const applied = mirror.apply(delta(seq, [value]));
    if (applied.kind !== "changed") throw new Error(applied.kind);
    return applied.changes.map((each) =>
      each.entity === "client" ? arranged.update(each) : undefined,
    )[0];
  };
  return { mirror, arranged, change };
}

function expectArrangedAnew(mirror: Mirror, arranged: ArrangedClients): void {
  const anew = new ArrangedClients();
  anew.reset(mirror);
  for (const status of ["online", "offline"] as const) {
    expect(arranged.withStatus(status)).toEqual(anew.withStatus(status));
  }
  for (const auth of ["fleet", "other"]) {
    expect(arranged.ofCredential(auth)).toEqual(anew.ofCredential(auth));
  }
}

describe("the mirror of a server", () => {
  it("takes nothing over when a message is missing", () => {
    const mirror = new Mirror();
    const change = { entity: "client", id: "web", value: client("web") };
    expect(mirror.apply(delta(1, [change]))).toEqual({ kind: "gap" });
    mirror.apply(snapshot({ seq: 7 }));
    expect(mirror.apply(delta(9, [change]))).toEqual({ kind: "gap" });
    expect(mirror.maps.clients.size).toBe(0);
    expect(mirror.apply(delta(8, [change])).kind).toBe("changed");
  });

  it("tells what stood there before a change", () => {
    const mirror = new Mirror();
    mirror.apply(snapshot({ credentials: [credential("fleet")] }));
    const applied = mirror.apply(delta(2, [{ entity: "credential", id: "fleet", value: null }]));
    expect(applied).toMatchObject({
      changes: [{ entity: "credential", before: { id: "fleet" }, after: undefined }],
    });
  });

  it("finds the tunnels of a client, through changes and a new snapshot", () => {
    const { mirror, change } = follow({ tunnels: [tunnel("web", "1"), tunnel("db", "1")] });
    change({ entity: "tunnel", id: "web/2", value: tunnel("web", "2") });
    change({ entity: "tunnel", id: "web/1", value: null });
    expect(mirror.tunnelsOf("web").map(({ id }) => id)).toEqual(["2"]);
    expect(mirror.tunnelCountOf("db")).toBe(1);
    mirror.apply(snapshot());
    expect(mirror.tunnelCountOf("db")).toBe(0);
  });
});

describe("a snapshot in pieces", () => {
  it("F-26 shows what was there until its last piece has come, and then all of it at once", () => {
    const mirror = new Mirror();
    mirror.apply(snapshot({ clients: [client("old")] }));
    const head = snapshot({ seq: 7, clients: [client("a")], more: true });
    expect(mirror.apply(head)).toEqual({ kind: "partial" });
    const part = piece({ seq: 7, clients: [client("b")], more: true });
    expect(mirror.apply(part)).toEqual({ kind: "partial" });
    expect([...mirror.maps.clients.keys()]).toEqual(["old"]);
    const last = piece({ seq: 7, clients: [client("c")], tunnels: [tunnel("c", "1")] });
    expect(mirror.apply(last)).toEqual({ kind: "reset" });
    expect([...mirror.maps.clients.keys()]).toEqual(["a", "b", "c"]);
    expect(mirror.tunnelCountOf("c")).toBe(1);
    const change = { entity: "client", id: "a", value: null };
    expect(mirror.apply(delta(8, [change])).kind).toBe("changed");
  });

  it("takes nothing over when something else comes in its middle", () => {
    const mirror = new Mirror();
    mirror.apply(snapshot({ clients: [client("old")] }));
    mirror.apply(snapshot({ seq: 7, clients: [client("a")], more: true }));
    const change = { entity: "client", id: "old", value: null };
    expect(mirror.apply(delta(2, [change]))).toEqual({ kind: "gap" });
    expect(mirror.apply(piece({ seq: 6 }))).toEqual({ kind: "gap" });
    expect([...mirror.maps.clients.keys()]).toEqual(["old"]);
    mirror.abandon();
    expect(mirror.apply(piece({ seq: 7 }))).toEqual({ kind: "gap" });
  });
});

describe("the arrangement of clients", () => {
  it("puts online before offline, each in natural order", () => {
    const { arranged } = follow({
      clients: [client("host10"), client("Host2"), offline("a"), client("\u00E4rger"), client("b")],
    });
    expect(arranged.withStatus("online")).toEqual(["\u00E4rger", "b", "Host2", "host10"]);
    expect(arranged.withStatus("offline")).toEqual(["a"]);
  });

  it("tells which groups a change rearranges, and none for a change in place", () => {
    const web = client("web");
    const { arranged, change } = follow({ clients: [web, client("db")] });
    const inPlace = change({ entity: "client", id: web.id, value: client("web", { os: "x" }) });
    expect(inPlace).toEqual({
      statuses: new Set(),
      credentials: new Set(),
      shared: new Set(),
    });
    const left = change({ entity: "client", id: web.id, value: offline("web") });
    expect(left?.statuses).toEqual(new Set(["online", "offline"]));
    const changed = offline("web", { client_auth_id: "other" });
    const rekeyed = change({ entity: "client", id: web.id, value: changed });
    expect(rekeyed?.credentials).toEqual(new Set(["fleet", "other"]));
    const named = change({ entity: "client", id: web.id, value: { ...changed, name: "zz" } });
    expect(named?.statuses).toEqual(new Set(["offline"]));
    change({ entity: "client", id: web.id, value: null });
    expect(arranged.ofCredential("other")).toEqual([]);
    expect(arranged.withStatus("offline")).toEqual([]);
  });

  it("is after any changes what it would be if arranged anew", () => {
    const step = fc.record({
      id: fc.constantFrom("h1", "h2", "h10", "x"),
      kind: fc.constantFrom("online", "offline", "gone"),
      name: fc.constantFrom("web-1", "web-10", "web-9", "db"),
      auth: fc.constantFrom("fleet", "other"),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const { mirror, arranged, change } = follow({ clients: [client("h1"), offline("x")] });
        for (const { id, kind, name, auth } of steps) {
          const changes = { name, client_auth_id: auth };
          const value = kind === "online" ? client(id, changes) : offline(id, changes);
          change({ entity: "client", id: value.id, value: kind === "gone" ? null : value });
        }
        expectArrangedAnew(mirror, arranged);
      }),
    );
  });

  it("compares numbers in names as numbers, whatever their length", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (a, b) => {
        const [first, second] = [naturalKey(`n${a}`), naturalKey(`n${b}`)];
        expect(first < second).toBe(a < b);
      }),
    );
  });
});
