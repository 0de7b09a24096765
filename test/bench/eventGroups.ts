import { setImmediate as nextTurn } from "node:timers/promises";
import { clientIdSchema } from "@rport/protocol/ids";
import { type Client, clientSchema } from "@rport/protocol/model";
import { clientGroupInputSchema } from "@rport/protocol/people/clientGroup";
import { ClientGrants } from "../../backend/src/access/clientGrants.ts";
import { Sights } from "../../backend/src/access/sights.ts";
import { EventHub } from "../../backend/src/events/hub.ts";
import { systemClock } from "../../backend/src/platform/clock.ts";
import { serverStatus } from "../../backend/src/status.ts";
import { emptySources } from "../support/backend/eventSources.ts";
import { clientRecord } from "../support/backend/records.ts";
import { FakeClock } from "../support/clock.ts";
import { testLog } from "../support/log.ts";

/** How many watch what, and how much changes. */
export interface EventGroupsOrder {
  readonly clients: number;
  readonly watchers: number;
  /** Groups of users that the watchers are of, in equal parts; each sees all clients. */
  readonly groups: number;
  /** Deltas, each of so many changes. */
  readonly deltas: number;
  readonly changes: number;
}

/** Processor milliseconds of telling watchers of some groups what changes, their sockets aside. */
export async function costOfEvents(order: EventGroupsOrder): Promise<number> {
  const names = Array.from({ length: order.groups }, (_, n) => `group-${n}`);
  const ids = Array.from({ length: order.clients }, (_, n) => clientIdSchema.parse(`host-${n}`));
  const records = new Map(ids.map((id) => [id, clientRecord({ id })]));
  const grants = new ClientGrants({
    clients: { record: (id) => records.get(id), records: () => records.values() },
    isConnected: () => true,
    clock: systemClock,
    onFault: (error) => {
      throw error;
    },
  });
  const all = { id: "all", params: { client_id: ["*"] }, allowed_user_groups: names };
  await grants.readAll([clientGroupInputSchema.parse(all)]);
  const sights = new Sights(grants);
  const clock = new FakeClock();
  const clients = new Map(ids.map((id) => [id, clientOf(records.get(id) ?? {})]));
  const client = { ids: () => clients.keys(), get: (id: string) => clients.get(id as never) };
  const facts = {
    counts: { connected: order.clients, disconnected: 0 },
    connections: { open: order.watchers, max: order.watchers, refused: 0 },
    fingerprints: { sha256: "", md5: "" },
    serverUrls: [],
    passwordMinLength: 12,
    agentTargets: { available: [], missing: [] },
  };
  const hub = new EventHub({
    sources: { ...emptySources(), client, server: () => serverStatus(facts) },
    clock,
    log: testLog().log,
    backlogMaxBytes: 64 << 20,
  });
  let bytes = 0;
  for (let n = 0; n < order.watchers; n++) {
    const groups = [names[n % names.length] ?? ""];
    const take = (message: Buffer) => {
      bytes += message.length;
    };
    hub.watch(
      { hasRoom: true, take, lost: () => {} },
      sights.of({ isAdministrator: false, groups }),
    );
  }
  await settled(() => bytes);
  const before = process.cpuUsage();
  for (let delta = 0; delta < order.deltas; delta++) {
    for (let n = 0; n < order.changes; n++) {
      hub.touch("client", ids[(delta * order.changes + n) % ids.length] ?? "");
    }
    clock.advance(50);
    await settled(() => bytes);
  }
  const { user, system } = process.cpuUsage(before);
  hub.close();
  return (user + system) / 1_000;
}

/** Until nothing is sent any more. */
async function settled(sent: () => number): Promise<void> {
  for (let before = -1, idle = 0; idle < 3; ) {
    await nextTurn();
    idle = sent() === before ? idle + 1 : 0;
    before = sent();
  }
}

function clientOf(record: object): Client {
  return clientSchema.parse({
    connection_state: "connected",
    last_heartbeat_at: null,
    secret: null,
    ...record,
  });
}
