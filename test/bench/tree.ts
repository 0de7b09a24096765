import { deltaSchema, eventMessageSchema } from "@rport/protocol/events";
import { Nodes } from "../../extension/src/model/node.ts";
import { Fleet } from "../../extension/src/servers/fleet.ts";
import { Server } from "../../extension/src/servers/server.ts";
import { LocalTunnels } from "../../extension/src/tunnels/localTunnels.ts";
import { ClientsSource } from "../../extension/src/views/clients.ts";
import { CredentialsSource } from "../../extension/src/views/credentials.ts";
import { rowOf } from "../../extension/src/views/rows.ts";
import { TunnelsSource } from "../../extension/src/views/tunnels.ts";
import { FakeClock } from "../support/clock.ts";
import { client, offline, snapshot } from "../unit/extension/entities.ts";
import { silentLog } from "../unit/extension/serverFixture.ts";

/** Deltas that are timed; the slowest hundredth is told. */
const DELTAS = 400;

/** Extension-host time for one server's clients, in milliseconds. */
export interface TreeTimes {
  readonly clients: number;
  /** From the text of the snapshot to the first screenful of rows. */
  readonly firstRowsMs: number;
  /** From there to the rows of all clients. */
  readonly allRowsMs: number;
  /** From the text of a delta, in which one host goes or comes, to its rows: median and p99. */
  readonly deltaMs: number;
  readonly deltaP99Ms: number;
}

/** Measures the trees' share of the work with this many clients. */
export function measureTree(clients: number): TreeTimes {
  const { server, source, sources, row } = fixture();
  const all = Array.from({ length: clients }, (_, n) =>
    n % 10 === 0 ? offline(`host-${n}`) : client(`host-${n}`),
  );
  const text = JSON.stringify(snapshot({ clients: all }));

  let mark = performance.now();
  server.mirror.apply(eventMessageSchema.parse(JSON.parse(text)));
  server.clients.reset(server.mirror);
  const rows = source.roots().flatMap((group) => source.children(group));
  for (const node of rows.slice(0, 50)) row(node);
  const firstRowsMs = performance.now() - mark;
  mark = performance.now();
  for (const node of rows) row(node);
  const allRowsMs = performance.now() - mark;

  const times = Array.from({ length: DELTAS }, (_, n) => {
    const id = `host-${(n * 7919) % clients}`;
    const value = n % 2 === 0 ? offline(id) : client(id);
    const change = { entity: "client", id, value };
    const at = "2030-01-01T00:00:00Z";
    const message = JSON.stringify(
      deltaSchema.parse({ type: "delta", seq: n + 2, at, changes: [change] }),
    );
    mark = performance.now();
    applyDelta(message);
    return performance.now() - mark;
  }).sort((a, b) => a - b);

  function applyDelta(message: string): void {
    const applied = server.mirror.apply(eventMessageSchema.parse(JSON.parse(message)));
    if (applied.kind !== "changed") throw new Error(applied.kind);
    const changes = applied.changes.map((change) => ({
      change,
      move: change.entity === "client" ? server.clients.update(change) : undefined,
    }));
    const event = { kind: "server", server, change: { kind: "changed", changes } } as const;
    for (const each of sources) {
      for (const dirty of each.affected(event)) {
        if (dirty.kind === "all") continue;
        row(dirty.node);
        if (dirty.kind === "subtree") each.children(dirty.node);
      }
    }
  }

  return {
    clients,
    firstRowsMs,
    allRowsMs,
    deltaMs: times[Math.floor(DELTAS / 2)] ?? 0,
    deltaP99Ms: times[Math.floor(DELTAS * 0.99)] ?? 0,
  };
}

function fixture() {
  const clock = new FakeClock();
  const fleet = new Fleet({
    tunnels: new LocalTunnels(),
    createServer: (config) =>
      new Server({
        config,
        access: async () => ({ kind: "noToken" }),
        fetch,
        clock,
        log: silentLog,
        random: Math.random,
        rememberFingerprint: () => undefined,
      }),
  });
  fleet.configure([{ name: "relay", url: "https://relay.example.com", fingerprint: "" }]);
  const [server] = fleet.servers;
  if (server === undefined) throw new Error("no server");
  const context = { fleet, nodes: new Nodes() };
  const source = new ClientsSource(context);
  const sources = [source, new CredentialsSource(context), new TunnelsSource(context)];
  const row = (node: Parameters<typeof rowOf>[0]) =>
    rowOf(node, { fleet, now: clock.now.bind(clock) });
  return { server, source, sources, row };
}
