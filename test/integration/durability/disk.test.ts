import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startAgent } from "../../support/agents/agent.ts";
import { builtAgent } from "../../support/agents/builtAgent.ts";
import { isLetIn, PeerAgent } from "../../support/agents/peerAgent.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { agentOf, FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { type SpawnedBackend, spawnBackend } from "../../support/backend/spawnBackend.ts";
import { eventually } from "../../support/eventually.ts";
import { canHaveTinyDisk, tinyDisk } from "../../support/faults/tinyDisk.ts";
import { exchange, pattern, tcpServer } from "../../support/wire/wireTunnel.ts";

const HOST = "host-1";
/** Longer than between two tries of a full disk. */
const BACK_MS = 20_000;
const FAILED = "typed while the disk was full";
/** In the form of a generated one, which is kept in another way. */
const FAILED_RANDOM = Buffer.alloc(32, 5).toString("base64url");

const passwords = [FAILED, FAILED_RANDOM];

/** Everything that people see of the credentials. */
async function shown({ api }: SpawnedBackend): Promise<unknown> {
  const credentials = await api.call("listCredentials");
  const secrets = await api.call("listSecrets", { params: { authId: FLEET } });
  return { credentials, secrets };
}

/** What comes of changes that all need the disk. */
async function changeAll({ api }: SpawnedBackend): Promise<readonly unknown[]> {
  const fleet = { params: { authId: FLEET } };
  const host = { params: { clientId: HOST }, query: { remote: "1", check_port: "0" } };
  const changes = [
    ...passwords.map((password) =>
      api.call("createCredential", { body: { id: "later", password } }),
    ),
    ...passwords.map((password) => api.call("addSecret", { ...fleet, body: { password } })),
    api.call("rotateCredential", { ...fleet, body: { grace_seconds: 0 } }),
    api.call("updateCredential", { ...fleet, body: { label: "changed" } }),
    api.call("createPairing", { body: { credential_id: FLEET } }),
    api.call("createTunnel", host),
  ];
  const results = await Promise.allSettled(changes);
  return results.map((result) => (result.status === "rejected" ? result.reason.code : "done"));
}

async function expectNobodyGotIn({ endpoint: { url } }: SpawnedBackend): Promise<void> {
  for (const user of ["later", FLEET]) {
    for (const password of passwords) expect(await isLetIn({ url, user, password })).toBe(false);
  }
}

it.skipIf(!(await canHaveTinyDisk()))(
  "D-04, F-15: a full disk refuses changes with 507, leaves nothing half done, keeps agents, and is forgotten when there is space (skipped where mounting is not allowed)",
  async () => {
    await builtAgent();
    await using disk = await tinyDisk(1_024);
    const dataDir = join(disk.path, "data");
    await using backend = await spawnBackend(dataDir);
    const password = await makeFleet(backend.api);
    await using echo = await tcpServer((socket) => socket.pipe(socket));
    await using agent = await startAgent(agentOf(backend.endpoint, password, HOST));
    await agent.online();
    const states: string[] = [];
    agent.agent.watch(({ kind }) => states.push(kind));
    const query = { remote: String(echo.port) };
    const params = { clientId: HOST };
    const tunnel = await backend.api.call("createTunnel", { params, query });
    const before = await shown(backend);
    const names = await readdir(dataDir);

    await disk.fill();
    const results = await changeAll(backend);
    expect(results).toEqual(results.map(() => "DISK_FULL"));
    expect(await shown(backend)).toEqual(before);
    expect(await backend.api.call("listTunnels")).toMatchObject([{ id: tunnel.id }]);
    expect(await readdir(dataDir)).toEqual(names);
    await expectNobodyGotIn(backend);
    const sent = pattern(500_000);
    expect(await exchange(Number(tunnel.lport), sent, "half-close")).toEqual(sent);

    await disk.empty();
    const later = await backend.api.call("createCredential", { body: { id: "later" } });
    await expectNobodyGotIn(backend);
    expect(states).toEqual([]);
    await backend.kill();
    await using again = await spawnBackend(dataDir);
    await expectNobodyGotIn(again);
    const login = { url: again.endpoint.url, user: "later", password: later.password };
    expect(await isLetIn(login)).toBe(true);
  },
);

it.skipIf(!(await canHaveTinyDisk()))(
  "F-15: after a crash on a full disk a backend starts, serves its hosts, refuses grants, takes rights away, and tells editors where it is once there is space (skipped where mounting is not allowed)",
  async () => {
    await using disk = await tinyDisk(1_024);
    const dataDir = join(disk.path, "data");
    const endpointFile = join(dataDir, "endpoint.json");
    const first = await spawnBackend(dataDir);
    const password = await makeFleet(first.api);
    const login = (url: string) => ({ url: url.replace("http", "ws"), user: FLEET, password });
    await (await PeerAgent.join(login(first.endpoint.url)))[Symbol.asyncDispose]();
    await first.kill();
    await rm(endpointFile);
    await disk.fill();

    await using backend = await startBackend({ dataDir });
    const { api, url } = backend;
    await backend.logged((line) => line.includes("editors cannot find this server yet"));
    await using agent = await PeerAgent.join(login(url));
    await expect(api("createCredential", { body: { id: "later" } })).rejects.toMatchObject({
      code: "DISK_FULL",
    });
    const params = { authId: FLEET };
    const removal = api("deleteCredential", { params, query: { force: "true" } });
    await expect(removal).rejects.toMatchObject({ code: "NOT_DURABLE" });
    await agent.closed;
    await disk.empty();
    const text = await eventually(() => readFile(endpointFile, "utf8"), BACK_MS);
    expect(JSON.parse(text)).toMatchObject({ url });
  },
);
