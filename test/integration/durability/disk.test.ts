import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startAgent } from "../../support/agents/agent.ts";
import { builtAgent } from "../../support/agents/builtAgent.ts";
import { isLetIn } from "../../support/agents/peerAgent.ts";
import { agentOf, FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { type SpawnedBackend, spawnBackend } from "../../support/backend/spawnBackend.ts";
import { canHaveTinyDisk, tinyDisk } from "../../support/faults/tinyDisk.ts";
import { exchange, pattern, tcpServer } from "../../support/wire/wireTunnel.ts";

const HOST = "host-1";
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
  "D-04: a backend does not start on a full disk, says which file it could not write, and starts when there is space",
  async () => {
    await using disk = await tinyDisk(1_024);
    const dataDir = join(disk.path, "data");
    await (await spawnBackend(dataDir)).kill();
    await rm(join(dataDir, "endpoint.json"));
    await disk.fill();
    await expect(spawnBackend(dataDir)).rejects.toThrow(dataDir);
    await disk.empty();
    await using again = await spawnBackend(dataDir);
    expect((await again.api.call("listCredentials")).length).toBe(1);
  },
);
