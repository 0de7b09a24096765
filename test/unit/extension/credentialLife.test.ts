import type { Change } from "@rport/protocol/events";
import { deltaSchema } from "@rport/protocol/events";
import type { Client } from "@rport/protocol/model";
import { describe, expect, it, vi } from "vitest";
import { alarmSentences, clientFacts } from "../../../extension/src/model/rows/clientRow.ts";
import { SecretShares } from "../../../extension/src/model/secretShares.ts";
import { FetchedLists } from "../../../extension/src/servers/fetchedLists.ts";
import type { ArrangedChange } from "../../../extension/src/servers/serverChange.ts";
import { ClientsSource } from "../../../extension/src/views/clients.ts";
import { joinsBadge } from "../../../extension/src/views/context.ts";
import { CredentialsSource } from "../../../extension/src/views/credentials.ts";
import { rowOf, tooltipOf } from "../../../extension/src/views/rows.ts";
import { client, credential, join, offline, refusal, secret } from "./entities.ts";
import { fleetOf, NOW, nameOf, RELAY } from "./fleetFixture.ts";

const ROTATION = {
  started_at: "2030-01-01T00:00:00Z",
  grace_ends_at: "2030-01-02T00:30:00Z",
  moved: 1,
  total: 4,
  stragglers: 1,
};

/** Tells one server of the fixture what changed, as its event socket does. */
function hear(
  { fleet }: ReturnType<typeof fleetOf>,
  source: CredentialsSource,
  changes: readonly Change[],
) {
  const server = fleet.get(RELAY);
  if (server === undefined) throw new Error("no server");
  const message = { type: "delta", seq: 2, at: "2030-01-01T00:00:01Z", changes };
  const applied = server.mirror.apply(deltaSchema.parse(message));
  if (applied.kind !== "changed") throw new Error(applied.kind);
  const told = applied.changes.map((change): ArrangedChange => {
    const rearranged = change.entity === "client" ? server.clients.update(change) : undefined;
    return { change, rearranged };
  });
  const event = { kind: "server", server, change: { kind: "changed", changes: told } } as const;
  return source.affected(event).map(nameOf);
}

function moving(id: string, state: Client["rotation_state"], changes = {}): Client {
  return client(id, { rotation_state: state, ...changes });
}

describe("a rotation in the view of credentials", () => {
  it("lists its clients with their states and reasons, stragglers first, those that moved last", async () => {
    const { fleet, text, fill, context } = fleetOf(RELAY);
    fill(RELAY, {
      credentials: [credential("fleet", { clients_total: 4, rotation: ROTATION })],
      clients: [
        client("moved"),
        moving("a", "pending"),
        moving("b", "offered"),
        moving("c", "straggler"),
        offline("d", { rotation_state: "pending" }),
        client("without-a-secret"),
      ],
    });
    const source = new CredentialsSource(context);
    const told = [
      { id: "moved", state: "done", reason: "" },
      { id: "c", state: "straggler", reason: "Its agent cannot be handed another secret." },
      // told before it was offered one
      { id: "b", state: "pending", reason: "It went away." },
    ];
    Object.defineProperty(fleet.get(RELAY), "rotations", {
      value: new FetchedLists(async () => told),
    });
    await source.load(context.nodes.get({ kind: "rotation", serverKey: RELAY, authId: "fleet" }));
    expect(text(source).slice(0, 7)).toEqual([
      "fleet | rotating, 1 of 4 moved \u00B7 4 clients \u00B7 0 online",
      "  New secret: 1 of 4 moved | old secret ends in 23 h \u00B7 1 must be installed again",
      "    c | install it again \u00B7 Its agent cannot be handed another secret.",
      "    a | waiting for its new secret",
      "    d | waits until it is back",
      "    b | new secret sent",
      "    moved | moved",
    ]);
  });

  it("offers to install a straggler again, wherever its row is", () => {
    const { nodes, fill, rows } = fleetOf(RELAY);
    fill(RELAY, { clients: [moving("c", "straggler")] });
    for (const place of ["clients", "credential", "rotation"] as const) {
      const node = nodes.get({ kind: "client", serverKey: RELAY, clientId: "c", place });
      expect(rowOf(node, rows).context, place).toMatch(/^client\b.*\+straggler\b/);
    }
  });

  it("takes a client's row away when it has moved, and changes it in place before", () => {
    const fixture = fleetOf(RELAY);
    fixture.fill(RELAY, {
      credentials: [credential("fleet", { rotation: ROTATION })],
      clients: [moving("a", "pending")],
    });
    const source = new CredentialsSource(fixture.context);
    fixture.text(source);
    const after = client("a");
    expect(hear(fixture, source, [{ entity: "client", id: after.id, value: after }])).toContain(
      "subtree rotation/fleet",
    );
    expect(fixture.text(source).join()).not.toContain("waiting for its new secret");
  });

  it("finds the way from a client that moves up to its credential", () => {
    const { nodes, fill, context } = fleetOf(RELAY);
    fill(RELAY, { clients: [moving("a", "pending")] });
    const source = new CredentialsSource(context);
    const place = "rotation";
    const row = nodes.get({ kind: "client", serverKey: RELAY, clientId: "a", place });
    const rotation = source.parent(row);
    expect(rotation?.kind).toBe("rotation");
    expect(rotation === undefined ? "?" : source.parent(rotation)?.kind).toBe("credential");
  });
});

describe("the secrets of a credential", () => {
  it("are listed when somebody looks, with origin, host and last use", async () => {
    const { fleet, text, fill, context } = fleetOf(RELAY);
    const rows = [
      secret("AAAAAAAAAAAAAAAA", {
        client_id: "machine-1",
        last_used_at: "2030-01-01T00:57:00Z",
      }),
      secret("BBBBBBBBBBBBBBBB", { origin: "typed", single_use: false, state: "grace" }),
      secret("CCCCCCCCCCCCCCCC", { state: "revoked" }),
    ];
    fill(RELAY, {
      credentials: [credential("fleet", { secrets_active: 1, secrets_grace: 1 })],
      clients: [client("machine-1", { name: "web-01" })],
    });
    const source = new CredentialsSource(context);
    expect(text(source)).toEqual(["fleet | unused", "  Secrets | 2 \u00B7 1 old", "  web-01 | "]);
    const server = fleet.get(RELAY);
    Object.defineProperty(server, "secrets", { value: new FetchedLists(async () => rows) });
    await source.load(context.nodes.get({ kind: "secrets", serverKey: RELAY, authId: "fleet" }));
    expect(text(source)).toEqual([
      "fleet | unused",
      "  Secrets | 2 \u00B7 1 old",
      "    pairing | web-01 \u00B7 used 3 min ago",
      "    typed password | old \u00B7 any host \u00B7 never used",
      "  web-01 | ",
    ]);
  });

  it("are stale when their credential has changed", () => {
    const fixture = fleetOf(RELAY);
    fixture.fill(RELAY, { credentials: [credential("fleet", { secrets_active: 1 })] });
    const source = new CredentialsSource(fixture.context);
    fixture.text(source);
    const value = credential("fleet", { secrets_active: 2 });
    expect(hear(fixture, source, [{ entity: "credential", id: value.id, value }])).toEqual([
      "row credential/fleet",
      "subtree secrets/fleet",
    ]);
  });

  it("say why they cannot be listed", async () => {
    const lists = new FetchedLists<{ id: string }>(async () => {
      throw new Error("The server is away.");
    });
    await lists.load("fleet");
    expect(lists.failureOf("fleet")).toBe("The server is away.");
    expect(lists.of("fleet")).toEqual([]);
  });

  it("are fetched once for looks that come together", async () => {
    let asked = 0;
    const lists = new FetchedLists<{ id: string }>(async () => {
      asked += 1;
      return [{ id: "a" }];
    });
    await Promise.all([lists.load("x"), lists.load("x")]);
    expect(asked).toBe(1);
    await lists.load("x");
    expect(asked).toBe(2);
  });
});

describe("warnings of a credential", () => {
  const ID = "AAAAAAAAAAAAAAAA";
  const shared = { id: ID, origin: "typed", state: "active" };
  const sharing = (n: number) =>
    Array.from({ length: n }, (_, i) => client(`host-${i}`, { secret: shared }));

  function warned(changes: Record<string, unknown>, clients: readonly Client[] = []) {
    const { nodes, fill, rows } = fleetOf(RELAY);
    fill(RELAY, { credentials: [credential("fleet", changes)], clients: [...clients] });
    const node = nodes.get({ kind: "credential", serverKey: RELAY, authId: "fleet" });
    return { row: rowOf(node, rows), tooltip: tooltipOf(node, rows) };
  }

  it("name the count of clients from the sixth one that shares a secret (S14)", () => {
    expect(warned({}, sharing(5)).row.icon?.name).not.toBe("warning");
    const { row, tooltip } = warned({}, sharing(7));
    expect(row.icon?.name).toBe("warning");
    expect(row.description).toContain("7 clients share a secret");
    expect(row.spoken).toContain("7 clients share a secret");
    expect(tooltip).toMatch(/7 clients share one secret.*one pairing per host/);
  });

  it("tell of a credential that was not rotated for longer than the setting says", () => {
    const inUse = { clients_total: 1, rotated_at: "2029-09-01T00:00:00Z" };
    expect(warned(inUse).row.description).toMatch(/^rotate again/);
    expect(warned({ ...inUse, rotated_at: "2029-12-01T00:00:00Z" }).row.icon?.name).toBe("key");
    expect(warned({ ...inUse, clients_total: 0 }).row.description).not.toContain("rotate again");
  });

  it("tell of a flood for a day", () => {
    const at = (flooded_at: string) => warned({ flooded_at }).row.description;
    expect(at("2030-01-01T00:57:00Z")).toMatch(/^flooded 3 min ago/);
    expect(at("2029-12-30T00:00:00Z")).not.toContain("flooded");
    const crowded = (crowded_at: string) => warned({ crowded_at }).row.description;
    expect(crowded("2030-01-01T00:57:00Z")).toMatch(/^many new clients 3 min ago/);
    expect(crowded("2029-12-30T00:00:00Z")).not.toContain("many");
  });

  it("count who shares a secret as clients come, change and go", () => {
    const shares = new SecretShares();
    const [a, b] = sharing(2);
    const moved = client("host-0", { secret: { ...shared, id: "BBBBBBBBBBBBBBBB" } });
    shares.update(undefined, a);
    expect(shares.mostOf("fleet")).toBe(0);
    expect(shares.update(undefined, b)).toEqual(new Set(["fleet"]));
    expect(shares.mostOf("fleet")).toBe(2);
    expect(shares.update(b, { ...b, name: "other" } as Client)).toEqual(new Set());
    shares.update(a, moved);
    expect(shares.mostOf("fleet")).toBe(0);
    shares.update(moved, a);
    shares.update(b, undefined);
    expect(shares.mostOf("fleet")).toBe(0);
  });
});

describe("hosts that wait to be let in", () => {
  it("stand at the top, are counted on the view, and say who they are", () => {
    const fixture = fleetOf(RELAY);
    const { text, fill, context, fleet, nodes, rows } = fixture;
    expect(joinsBadge(fleet)).toBeUndefined();
    fill(RELAY, { credentials: [credential("fleet")], joins: [join("join-0001")] });
    expect(text(new CredentialsSource(context))).toEqual([
      "web-09 waits to join | 192.0.2.7 \u00B7 fleet",
      "fleet | unused",
    ]);
    expect(joinsBadge(fleet)).toEqual({ value: 1, tooltip: "1 client waits for approval" });
    const node = nodes.get({ kind: "join", serverKey: RELAY, joinId: "join-0001" });
    expect(rowOf(node, rows).spoken).toBe(
      "web-09 waits to join, from 192.0.2.7, credential fleet, given up in 10 min",
    );
    expect(tooltipOf(node, rows)).toContain("machine\\-9");
    const source = new CredentialsSource(context);
    expect(hear(fixture, source, [{ entity: "join", id: "join-0001", value: null }])).toEqual([
      "all",
    ]);
  });

  it("S-02: say that they may be somebody else, with both keys and what approving means", () => {
    const { text, fill, context, nodes, rows } = fleetOf(RELAY);
    const [shown, known] = ["SHA256:shown", "SHA256:known"];
    const keys = { host_key: shown, known_host_key: known, known_credential_id: "production" };
    fill(RELAY, {
      credentials: [credential("fleet")],
      joins: [
        join("join-0001", { reason: "key-changed", ...keys }),
        join("join-0002", { reason: "key-missing", known_host_key: known }),
        join("join-0003", { reason: "other-credential", known_credential_id: "production" }),
      ],
    });
    expect(text(new CredentialsSource(context)).slice(0, 3)).toEqual([
      "web-09 waits to join | shows another host key \u00B7 192.0.2.7 \u00B7 fleet",
      "web-09 waits to join | shows no host key \u00B7 192.0.2.7 \u00B7 fleet",
      "web-09 waits to join | comes with another credential \u00B7 192.0.2.7 \u00B7 fleet",
    ]);
    const nodeOf = (joinId: string) => nodes.get({ kind: "join", serverKey: RELAY, joinId });
    expect(rowOf(nodeOf("join-0001"), rows).icon?.name).toBe("warning");
    const tooltip = tooltipOf(nodeOf("join-0001"), rows)?.replaceAll("\\", "") ?? "";
    for (const words of [
      "another host key than the one that machine-9 is known by",
      "takes over that client's record and tunnels",
      "somebody has a secret of fleet and claims to be machine-9",
      `Host key it shows: ${shown}`,
      `Host key that is known: ${known}`,
      "Credential before: production",
    ]) {
      expect(tooltip).toContain(words);
    }
    const other = tooltipOf(nodeOf("join-0003"), rows)?.replaceAll("\\", "");
    expect(other).toContain("It comes with fleet, and machine-9 came with production before.");
  });
});

describe("refused joins", () => {
  it("show only when there are some, and tell who is still trying", () => {
    const { text, fill, context } = fleetOf(RELAY);
    const source = new CredentialsSource(context);
    fill(RELAY, { credentials: [credential("fleet")] });
    expect(text(source)).toEqual(["fleet | unused"]);
    const gone = {
      reason: "revoked-credential",
      auth_id: "old",
      hostname: "db-01",
      count: 3,
      first_at: "2030-01-01T00:30:00Z",
      last_at: "2030-01-01T00:58:00Z",
    };
    fill(RELAY, { refusals: [refusal("r1"), refusal("r2", gone)] });
    expect(text(source)).toEqual([
      "Refused joins | 1 still trying \u00B7 4 times from 1 address",
      "  Deleted credential | still trying \u00B7 db-01 \u00B7 as old \u00B7 192.0.2.66 \u00B7 3 times \u00B7 2 min ago",
      "  Wrong secret | as fleet \u00B7 192.0.2.66 \u00B7 1 time \u00B7 60 min ago",
    ]);
  });

  it("bring their row with the first ones, and then only what is new", () => {
    const fixture = fleetOf(RELAY);
    fixture.fill(RELAY, { credentials: [credential("fleet")] });
    const source = new CredentialsSource(fixture.context);
    fixture.text(source);
    const both = ["r1", "r2"].map((id): Change => ({ entity: "refusal", id, value: refusal(id) }));
    expect(hear(fixture, source, both)).toEqual(["all", "all"]);
    fixture.text(source);
    fixture.fill(RELAY, { refusals: [refusal("r1")] });
    const again = refusal("r1", { count: 2 });
    expect(hear(fixture, source, [{ entity: "refusal", id: "r1", value: again }])).toEqual([
      "row refusals",
      "row refusal/r1",
    ]);
  });
});

describe("hosts that need attention", () => {
  const duplicate = {
    address: "192.0.2.7",
    hostname: "copy",
    same_host_key: true,
    count: 2,
    last_at: "2030-01-01T00:00:00Z",
  };

  it("say so first, in words and with an icon", () => {
    const { text, fill, context, nodes, rows } = fleetOf(RELAY);
    fill(RELAY, {
      clients: [
        client("a", { duplicate }),
        client("b", { looks_like: "old" }),
        offline("c", { revoked_at: "2030-01-01T00:00:00Z" }),
        offline("old", { name: "web-01" }),
      ],
    });
    expect(text(new ClientsSource(context))).toEqual([
      "Online | 2",
      "  a | duplicate at 192.0.2.7 \u00B7 10.0.0.5 \u00B7 Debian GNU/Linux 12",
      "  b | looks like web-01 \u00B7 10.0.0.5 \u00B7 Debian GNU/Linux 12",
      "Offline | 2",
      "  c | revoked \u00B7 last seen 60 min ago",
      "  web-01 | last seen 60 min ago",
    ]);
    const icon = (clientId: string) => {
      const node = nodes.get({ kind: "client", serverKey: RELAY, clientId, place: "clients" });
      return rowOf(node, rows).icon?.name;
    };
    expect(["a", "b", "c"].map(icon)).toEqual(["warning", "warning", "circle-slash"]);
  });

  it("S-02: point out another host key for a week, a missing one always, and a first one never", () => {
    const at = (hours: number) => new Date(NOW - hours * 3_600_000).toISOString();
    const changed = (hours: number, kind = "changed") => ({
      host_key: "SHA256:now",
      host_key_change: { kind, before: kind === "added" ? null : "SHA256:then", at: at(hours) },
    });
    const { text, fill, context, nodes, rows } = fleetOf(RELAY);
    fill(RELAY, {
      clients: [
        client("a", changed(1)),
        client("b", changed(7 * 24)),
        client("c", changed(7 * 24, "missing")),
        client("d", changed(1, "added")),
      ],
    });
    const where = "10.0.0.5 \u00B7 Debian GNU/Linux 12";
    expect(text(new ClientsSource(context))).toEqual([
      `a | host key changed \u00B7 ${where}`,
      `b | ${where}`,
      `c | without its host key \u00B7 ${where}`,
      `d | ${where}`,
    ]);
    const node = nodes.get({ kind: "client", serverKey: RELAY, clientId: "a", place: "clients" });
    expect(rowOf(node, rows).icon?.name).toBe("warning");
    const tooltip = tooltipOf(node, rows)?.replaceAll("\\", "");
    expect(tooltip).toContain("Its host key is another one than before, which was approved");
    const facts = Object.fromEntries(clientFacts(client("b", changed(7 * 24))));
    expect(facts["Host key"]).toBe("SHA256:now");
    expect(facts["Host key changed"]).toContain("before, it was SHA256:then");
  });

  it("tell of each tunnel that a host is in without, and why", () => {
    const left_out = [{ remote: "25303:127.0.0.1:19900/udp", reason: "There is no UDP." }];
    const facts = { looksLike: "", isLikeRevoked: false, nowMs: NOW };
    expect(alarmSentences(client("a", { left_out }), facts)).toEqual([
      "It is in without a tunnel that it asks for, 25303:127.0.0.1:19900/udp. There is no UDP.",
    ]);
    expect(alarmSentences(client("a"), facts)).toEqual([]);
  });

  it("tell a copied disk from a host that was set up twice", () => {
    const sentences = (same: boolean) =>
      alarmSentences(client("a", { duplicate: { ...duplicate, same_host_key: same } }), {
        looksLike: "",
        isLikeRevoked: false,
        nowMs: NOW,
      }).join();
    expect(sentences(true)).toContain("its disk is a copy");
    expect(sentences(false)).toContain("set up with the same client ID");
  });
});

/** A host that counts how often anything of it is looked at. */
function watched(host: Client, onRead: () => void): Client {
  return new Proxy(host, {
    get(target, key) {
      onRead();
      return Reflect.get(target, key);
    },
  });
}

it("changes one of 10,000 clients without a look at the others, also while they rotate", () => {
  const fixture = fleetOf(RELAY);
  const onRead = vi.fn();
  const hosts = Array.from({ length: 10_000 }, (_, i) =>
    watched(moving(`host-${i}`, "pending"), onRead),
  );
  fixture.fill(RELAY, {
    credentials: [credential("fleet", { clients_total: 10_000, rotation: ROTATION })],
    clients: hosts,
  });
  const source = new CredentialsSource(fixture.context);
  fixture.text(source);
  const server = fixture.fleet.get(RELAY);
  const before = hosts[7];
  if (server === undefined || before === undefined) throw new Error("no client");
  const after = { ...before, rotation_state: "offered" } as const;
  expect(onRead.mock.calls.length).toBeGreaterThan(10_000);
  onRead.mockClear();
  server.mirror.maps.clients.set(after.id, after);
  const change = { entity: "client", id: after.id, before, after } as const;
  const changes = [{ change, rearranged: server.clients.update(change) }];
  const stale = source.affected({ kind: "server", server, change: { kind: "changed", changes } });
  for (const dirty of stale) if ("node" in dirty) rowOf(dirty.node, fixture.rows);
  expect(stale.length).toBeLessThan(10);
  expect(onRead.mock.calls.length).toBeLessThan(500);
});
