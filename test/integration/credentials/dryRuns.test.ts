import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FEATURES } from "@rport/protocol/agent";
import type { EventMessage } from "@rport/protocol/events";
import type { EndpointOutput } from "@rport/protocol/http";
import type { DeletionReport } from "@rport/protocol/report";
import { expect, it } from "vitest";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import type { EventStream } from "../../support/backend/eventStream.ts";
import { FLEET } from "../../support/backend/fleet.ts";
import { eventually } from "../../support/eventually.ts";
import { type SeededRandom, seededRandom } from "../../support/random.ts";

/** A fleet for each way to rotate. */
const GRACES = [0, 3_600, null] as const;
const params = { authId: FLEET };
const DRY = { dry_run: "true" };
const REPORT = { report: "true" };

interface Scene {
  readonly backend: RunningBackend;
  readonly events: EventStream;
  readonly random: SeededRandom;
}

/** Hosts on shared and on own secrets, some away, some of them Go clients; tunnels and pairings. */
async function makeFleetAtRandom({ backend, random }: Scene, stack: AsyncDisposableStack) {
  const { password } = await backend.api("createCredential", { body: { id: FLEET } });
  const passwords: [string, ...string[]] = [password];
  for (let n = random.below(3); n >= 0; n -= 1) {
    passwords.push((await backend.api("addSecret", { params, body: {} })).password);
  }
  const url = backend.url.replace("http", "ws");
  for (let n = 3 + random.below(4); n >= 0; n -= 1) {
    const ID = `host-${n}`;
    const Features = random.below(2) === 0 ? [] : [FEATURES.rotateSecret];
    const introduction = { ID, Name: ID, Features };
    // One that lists the feature and then says no stays on its secret.
    const login = { url, user: FLEET, password: random.pick(passwords), introduction };
    const agent = stack.use(await PeerAgent.join(login));
    for (let tunnels = random.below(3); tunnels > 0; tunnels -= 1) {
      const query = { remote: String(1_000 + tunnels), check_port: "0" };
      await backend.api("createTunnel", { params: { clientId: ID }, query });
    }
    if (random.below(3) === 0) await away(backend, agent, ID);
  }
  for (let n = random.below(3); n > 0; n -= 1) {
    await backend.api("createPairing", { body: { credential_id: FLEET } });
  }
}

async function away(backend: RunningBackend, agent: PeerAgent, clientId: string): Promise<void> {
  agent.close();
  await agent.closed;
  await eventually(async () => {
    const client = await backend.api("getClient", { params: { clientId } });
    expect(client.connection_state).toBe("disconnected");
  });
}

/** Everything that is on disk or shown, save what time alone changes. */
async function everything({ backend }: Scene): Promise<unknown> {
  const { api } = backend;
  const document = await readFile(join(backend.dataDir, "rport.json"), "utf8");
  const clients = [...backend.backend.clients.list()].map(
    ({ last_heartbeat_at: _, ...client }) => client,
  );
  const credentials = await api("listCredentials");
  const isThere = credentials.some(({ id }) => id === FLEET);
  return {
    document,
    clients,
    credentials,
    secrets: isThere ? await api("listSecrets", { params }) : [],
    rotation: isThere ? await api("getRotation", { params }) : undefined,
    tunnels: await api("listTunnels"),
    pairings: await api("listPairings"),
    audit: await api("listAudit", { query: { "page[limit]": "100" } }),
  };
}

let barriers = 0;
/** Waits until everything that was announced before has arrived; answers how many changes did. */
async function announced({ backend, events }: Scene): Promise<number> {
  barriers += 1;
  const id = `barrier-${barriers}`;
  await backend.api("createCredential", { body: { id } });
  const changes = (messages: readonly EventMessage[]) =>
    messages.flatMap((message) => (message.type === "delta" ? message.changes : []));
  const isOf = (text: string) => (change: object) => JSON.stringify(change).includes(text);
  await events.until((messages) => changes(messages).find(isOf(id)));
  const told = changes(events.messages).filter(({ entity }) => entity !== "server");
  return told.filter((change) => !isOf('"barrier-')(change)).length;
}

/** The dry run's answer, after it was seen to have changed nothing. */
async function previewed<T>(scene: Scene, ask: () => Promise<T>): Promise<T> {
  const told = await announced(scene);
  const before = await everything(scene);
  const preview = await ask();
  expect(await everything(scene)).toEqual(before);
  expect(await announced(scene)).toBe(told);
  return preview;
}

/** Does it, and sees that as many sessions and pairings ended as the report says. */
async function done(
  { backend }: Scene,
  act: () => Promise<DeletionReport>,
): Promise<DeletionReport> {
  const { registry } = backend.backend;
  const open = async () =>
    (await backend.api("listPairings")).filter(({ state }) => state === "active").length;
  const before = { pairings: await open(), connected: registry.counts.connected };
  const report = await act();
  expect(before.pairings - (await open())).toBe(report.pairings);
  await eventually(() => {
    expect(before.connected - registry.counts.connected).toBe(report.disconnected);
  });
  const away = report.clients.filter(({ connected }) => !connected);
  expect(report.offline).toEqual(away.map(({ id }) => id));
  return report;
}

/** What both answers have to agree on: the times differ. */
function comparable({
  started_at: _start,
  grace_ends_at: _end,
  ...rest
}: EndpointOutput<"rotateCredential">): unknown {
  return rest;
}

async function rotateAndFinish(scene: Scene, grace: (typeof GRACES)[number]): Promise<void> {
  const { api } = scene.backend;
  const body = { grace_seconds: grace };
  const preview = await previewed(scene, () =>
    api("rotateCredential", { params, body, query: DRY }),
  );
  const real = await api("rotateCredential", { params, body });
  expect(comparable(real)).toEqual(comparable(preview));
  if (grace === 0) return;
  await eventually(async () => {
    const { rotation, clients } = await api("getRotation", { params });
    const isMoving = clients.some(
      (one) => one.connected && /pending|offered|stored/.test(one.state),
    );
    expect(rotation !== null && isMoving).toBe(false);
  });
  // Where every host has moved the rotation is over, and there is nothing to finish.
  if ((await api("getRotation", { params })).rotation === null) return;
  const hit = await previewed(scene, () => api("finishRotation", { params, query: DRY }));
  expect(await done(scene, () => api("finishRotation", { params }))).toEqual(hit);
}

async function takeSome(scene: Scene): Promise<void> {
  const { backend, random } = scene;
  const { api } = backend;
  await api("createPairing", { body: { credential_id: FLEET } });
  const secrets = await api("listSecrets", { params });
  const unclaimed = secrets.findLast(({ origin }) => origin === "pairing");
  const [first, ...others] = secrets.filter(({ state }) => state === "active");
  const chosen = first === undefined ? [] : [random.pick([first, ...others])];
  for (const { id: secretId } of new Set([...chosen, ...(unclaimed ? [unclaimed] : [])])) {
    const one = { params: { ...params, secretId } };
    const hit = await previewed(scene, () => api("revokeSecret", { ...one, query: DRY }));
    const real = () => api("revokeSecret", { ...one, query: REPORT });
    expect(await done(scene, real)).toEqual(hit);
  }
  const [client, ...more] = backend.backend.clients.list();
  if (client === undefined) throw new Error("the fleet has no client");
  const one = { params: { clientId: random.pick([client, ...more]).id } };
  const hit = await previewed(scene, () => api("revokeClient", { ...one, query: DRY }));
  expect(await done(scene, () => api("revokeClient", one))).toEqual(hit);
  await eventually(async () => {
    const { connection_state: state } = await api("getClient", one);
    expect(state).toBe("disconnected");
  });
  // Its record is what keeps it out.
  for (const query of [DRY, REPORT]) {
    const refused = api("deleteClient", { ...one, query });
    await expect(refused).rejects.toMatchObject({ code: "CONFLICT" });
  }
  if (random.pick([true, false])) return;
  await api("allowClient", one);
  const forgotten = await previewed(scene, () => api("deleteClient", { ...one, query: DRY }));
  expect(await api("deleteClient", { ...one, query: REPORT })).toEqual(forgotten);
}

async function takeAll(scene: Scene): Promise<void> {
  const { api } = scene.backend;
  const query = { force: "true", purge: scene.random.pick(["true", "false"]) };
  const hit = await previewed(scene, () =>
    api("deleteCredential", { params, query: { ...query, ...DRY } }),
  );
  const real = () => api("deleteCredential", { params, query: { ...query, ...REPORT } });
  expect(await done(scene, real)).toEqual(hit);
  const unused = await previewed(scene, () => api("purgeUnused", { body: { dry_run: true } }));
  const last = `barrier-${barriers}`;
  expect(unused.credentials.every((id) => /^(barrier|fleet)-/.test(id))).toBe(true);
  const purged = await api("purgeUnused", { body: {} });
  expect(purged.credentials.filter((id) => id !== last)).toEqual(unused.credentials);
}

it("F-19: a dry run says exactly what then happens, for fleets made at random, and changes nothing: no file, no row, no event, no audit entry", async () => {
  const random = seededRandom();
  try {
    for (const grace of GRACES) {
      await using backend = await startBackend();
      using events = backend.events();
      await events.snapshot();
      await using stack = new AsyncDisposableStack();
      const scene = { backend, events, random };
      await makeFleetAtRandom(scene, stack);
      await rotateAndFinish(scene, grace);
      await takeSome(scene);
      await takeAll(scene);
    }
  } catch (caught) {
    throw new Error(`with RPORT_TEST_SEED=${random.seed}`, { cause: caught });
  }
});
