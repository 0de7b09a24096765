import { join } from "node:path";
import { expect, it } from "vitest";
import { isLetIn, PeerAgent } from "../../support/agents/peerAgent.ts";
import { FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { type SpawnedBackend, spawnBackend } from "../../support/backend/spawnBackend.ts";
import { eventually } from "../../support/eventually.ts";
import { canHaveTinyDisk, tinyDisk } from "../../support/faults/tinyDisk.ts";

const CLIENT = "machine-1";
const BACK_MS = 20_000;
const params = { authId: FLEET };
const host = { clientId: CLIENT };

type Take = (backend: SpawnedBackend) => Promise<unknown>;

const secretOf = async ({ api }: SpawnedBackend): Promise<string> => {
  const [secret] = await api.call("listSecrets", { params });
  return secret?.id ?? "";
};
const revokeSecret: Take = async (backend) =>
  backend.api.call("revokeSecret", { params: { ...params, secretId: await secretOf(backend) } });

/** What takes rights away; the rotation that is finished has begun before. */
const TAKES: readonly [string, Take, Take?][] = [
  ["a deletion", ({ api }) => api.call("deleteCredential", { params, query: { force: "true" } })],
  ["the revocation of a secret", revokeSecret],
  ["the revocation of a host", ({ api }) => api.call("revokeClient", { params: host })],
  [
    "the end of a rotation",
    ({ api }) => api.call("finishRotation", { params }),
    ({ api }) => api.call("rotateCredential", { params, body: { grace_seconds: null } }),
  ],
];

const loginOf = ({ endpoint }: SpawnedBackend, password: string) => ({
  url: endpoint.url.replace("http", "ws"),
  user: FLEET,
  password,
});

/** It stops by itself, as on a restart of its machine. */
async function stop(backend: SpawnedBackend): Promise<void> {
  backend.signal("SIGTERM");
  await backend.ended;
}

it.skipIf(!(await canHaveTinyDisk())).each(TAKES)(
  "F-15: %s on a full disk cuts, refuses, says that a restart would undo it, and is durable once there is space (skipped where mounting is not allowed)",
  async (_, take, prepare) => {
    await using disk = await tinyDisk(1_536);
    const dataDir = join(disk.path, "data");
    await using first = await spawnBackend(dataDir);
    const password = await makeFleet(first.api);
    await using agent = await PeerAgent.join(loginOf(first, password));
    await prepare?.(first);
    await disk.fill();
    await expect(take(first)).rejects.toMatchObject({
      code: "NOT_DURABLE",
      message: expect.stringMatching(/is not durable yet: the server's disk is full/),
      detail: expect.stringMatching(/a restart of the server would take it back/),
    });
    await agent.closed;
    await expect(PeerAgent.join(loginOf(first, password))).rejects.toThrow();
    await first.kill();
    await disk.empty();

    await using second = await spawnBackend(dataDir);
    await using back = await PeerAgent.join(loginOf(second, password));
    await disk.fill();
    await expect(take(second)).rejects.toMatchObject({ code: "NOT_DURABLE" });
    await back.closed;
    await disk.empty();
    await stop(second);
    await using third = await spawnBackend(dataDir);
    await expect(PeerAgent.join(loginOf(third, password))).rejects.toThrow();
  },
);

it.skipIf(!(await canHaveTinyDisk()))(
  "F-15: what was not durable is written without a restart, so that a later kill -9 loses nothing (skipped where mounting is not allowed)",
  async () => {
    await using disk = await tinyDisk(1_536);
    const dataDir = join(disk.path, "data");
    await using backend = await spawnBackend(dataDir);
    const password = await makeFleet(backend.api);
    await disk.fill();
    await expect(revokeSecret(backend)).rejects.toMatchObject({ code: "NOT_DURABLE" });
    await disk.empty();
    await eventually(() => expect(backend.stderr()).toContain("is on disk now"), BACK_MS);
    await backend.kill();
    await using again = await spawnBackend(dataDir);
    expect(await isLetIn(loginOf(again, password))).toBe(false);
  },
);

it.skipIf(!(await canHaveTinyDisk()))(
  "D-04: on a full disk no host is forgotten or let in again by half (skipped where mounting is not allowed)",
  async () => {
    await using disk = await tinyDisk(1_536);
    await using backend = await spawnBackend(join(disk.path, "data"));
    const password = await makeFleet(backend.api);
    const login = loginOf(backend, password);
    await using agent = await PeerAgent.join(login);
    await backend.api.call("revokeClient", { params: host });
    await agent.closed;
    const before = await backend.api.call("getClient", { params: host });
    await disk.fill();
    const allowed = backend.api.call("allowClient", { params: host });
    await expect(allowed).rejects.toMatchObject({ code: "DISK_FULL" });
    expect(await backend.api.call("getClient", { params: host })).toEqual(before);
    await expect(PeerAgent.join(login)).rejects.toThrow(/client was revoked/);
    await disk.empty();
    await backend.api.call("allowClient", { params: host });
    const kept = await backend.api.call("getClient", { params: host });
    await disk.fill();
    const forgotten = backend.api.call("deleteClient", { params: host });
    await expect(forgotten).rejects.toMatchObject({ code: "DISK_FULL" });
    expect(await backend.api.call("getClient", { params: host })).toEqual(kept);
    await disk.empty();
    await using _back = await PeerAgent.join(login);
  },
);
