import { FEATURES, REQUESTS } from "@rport/protocol/agent";
import { expect, it } from "vitest";
import { PeerAgent, type PeerAgentOptions } from "../../support/agents/peerAgent.ts";
import { FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { type SpawnedBackend, spawnBackend } from "../../support/backend/spawnBackend.ts";
import { eventually } from "../../support/eventually.ts";
import { seededRandom } from "../../support/random.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const HOSTS = 40;
const ROUNDS = 4;
const nameOf = (n: number) => [`old-${n}`, `new-${n}`, `web-${n}`] as const;

const storesSecrets: NonNullable<PeerAgentOptions["onRequest"]> = (name, payload) => {
  if (name !== REQUESTS.rotateSecret) return undefined;
  const { secret_id } = JSON.parse(payload.toString());
  return Buffer.from(JSON.stringify({ secret_id }));
};

/** Hosts with a name, a tunnel and a secret of their own, and the same hosts under another id. */
async function makeHosts({ api, endpoint }: SpawnedBackend, password: string): Promise<void> {
  const url = endpoint.url.replace("http", "ws");
  const options = { url, user: FLEET, password, onRequest: storesSecrets };
  const numbers = Array.from({ length: HOSTS }, (_, n) => n);
  const joined = numbers.map(async (n) => {
    const [ID, , Name] = nameOf(n);
    const introduction = { ID, Name, Features: [FEATURES.rotateSecret] };
    const agent = await PeerAgent.join({ ...options, introduction });
    await api.call("createTunnel", { params: { clientId: ID }, query: { remote: "22" } });
    return agent;
  });
  const agents = await Promise.all(joined);
  const body = { grace_seconds: 3_600 };
  await api.call("rotateCredential", { params: { authId: FLEET }, body });
  await eventually(async () => {
    const secrets = await api.call("listSecrets", { params: { authId: FLEET } });
    const own = secrets.filter(({ client_id: id, last_used_at: at }) => id !== null && at !== null);
    expect(own).toHaveLength(HOSTS);
  }, 20_000);
  for (const agent of agents) agent.close();
  await api.call("cancelRotation", { params: { authId: FLEET } });
  const again = numbers.map(async (n) => {
    const [, ID] = nameOf(n);
    await using _agent = await PeerAgent.join({ ...options, introduction: { ID, Name: "" } });
  });
  await Promise.all(again);
  await eventually(async () => {
    const status = await api.call("getStatus");
    expect(status).toMatchObject({ clients_connected: 0, clients_disconnected: 2 * HOSTS });
  }, 20_000);
}

/** Each host is wholly where it was or wholly moved; answers with those that were moved. */
async function movedHosts({ api }: SpawnedBackend): Promise<ReadonlySet<number>> {
  const query = { "page[limit]": "500", "fields[clients]": "id,name" };
  const names = new Map(
    (await api.call("listClients", { query })).map((one) => [one.id, one.name]),
  );
  const secrets = await api.call("listSecrets", { params: { authId: FLEET } });
  const owners = new Set<string>(secrets.flatMap(({ client_id: id }) => id ?? []));
  const moved = new Set<number>();
  for (let n = 0; n < HOSTS; n += 1) {
    const [old, fresh, name] = nameOf(n);
    if (!names.has(old)) moved.add(n);
    const [holder, other] = moved.has(n) ? [fresh, old] : [old, fresh];
    expect([holder, names.get(holder)]).toEqual([holder, name]);
    expect([owners.has(holder), owners.has(other)]).toEqual([true, false]);
    const dry = { params: { clientId: holder }, query: { dry_run: "true" } };
    const { clients } = await api.call("deleteClient", dry);
    expect(clients).toMatchObject([{ id: holder, tunnels: 1 }]);
  }
  return moved;
}

it("D-02: kill -9 while records are moved leaves each host wholly at its old id or wholly at its new one", async () => {
  const random = seededRandom();
  await using temp = await tempDirectory();
  await using stack = new AsyncDisposableStack();
  let backend = stack.use(await spawnBackend(temp.path));
  await makeHosts(backend, await makeFleet(backend.api));
  let moved: ReadonlySet<number> = new Set();
  try {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const answered = new Set<number>(moved);
      const left = Array.from({ length: HOSTS }, (_, n) => n).filter((n) => !moved.has(n));
      const goal = random.below(Math.max(1, Math.ceil(left.length / 3)));
      const reached = Promise.withResolvers<void>();
      const running = left.map(async (n) => {
        const [from, clientId] = nameOf(n);
        await backend.api.call("adoptClient", { params: { clientId }, body: { from } });
        answered.add(n);
        if (answered.size - moved.size > goal) reached.resolve();
      });
      await Promise.race([reached.promise, Promise.allSettled(running)]);
      await backend.kill();
      await Promise.allSettled(running);
      backend = stack.use(await spawnBackend(temp.path));
      moved = await movedHosts(backend);
      for (const n of answered) expect(moved, `host ${n} was answered`).toContain(n);
    }
    expect(moved.size).toBeGreaterThan(0);
  } catch (caught) {
    throw new Error(`with RPORT_TEST_SEED=${random.seed}`, { cause: caught });
  }
});
