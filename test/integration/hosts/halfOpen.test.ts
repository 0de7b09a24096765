import { readdir } from "node:fs/promises";
import { authIdSchema } from "@rport/protocol/ids";
import { expect, it } from "vitest";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { spawnBackend } from "../../support/backend/spawnBackend.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { type FrozenPath, frozenPath } from "../../support/faults/frozenPath.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const RECONNECTS = 200;
/** Files that a process opens and closes on its own account. */
const SLACK = 5;

const fdsOf = async (pid: number): Promise<number> => (await readdir(`/proc/${pid}/fd`)).length;

/**
 * An agent whose connection goes dead without a word, and who comes back, again and again; the last
 * connection is alive. The dead ones stay as they are while `path` is there.
 */
async function reconnect(path: FrozenPath, password: string): Promise<PeerAgent> {
  const login = { url: `ws://127.0.0.1:${path.port}`, user: FLEET, password };
  for (let n = 0; n < RECONNECTS; n += 1) {
    await PeerAgent.join(login);
    path.freeze();
  }
  return await PeerAgent.join(login);
}

it("C-03: 200 reconnections over half-open ones leave one session, no timers, and no duplicate", async () => {
  const clock = new FakeClock();
  await using backend = await startBackend({ clock });
  const password = await makeFleet({ call: backend.api });
  const login = { url: backend.url.replace("http", "ws"), user: FLEET, password };
  const sessions = () => backend.backend.presence.ofCredential(authIdSchema.parse(FLEET));
  await using _first = await PeerAgent.join(login);
  await eventually(() => expect(sessions()).toHaveLength(1));
  clock.advance(60_000);
  const before = clock.timers;
  await using path = await frozenPath(backend.port);
  await using _last = await reconnect(path, password);
  await eventually(() => expect(sessions()).toHaveLength(1));
  clock.advance(60_000);
  await eventually(() => expect(clock.timers).toBeLessThanOrEqual(before));
  const shown = { clients_connected: 1, clients_disconnected: 0 };
  expect(await backend.api("getStatus")).toMatchObject(shown);
  expect(await backend.api("listRefusals")).toEqual([]);
  const params = { clientId: "machine-1" };
  expect(await backend.api("getClient", { params })).toMatchObject({ duplicate: null });
});

it("C-03, F-08: 200 reconnections over half-open ones leave no file descriptor behind", async () => {
  await using temp = await tempDirectory();
  await using backend = await spawnBackend(temp.path);
  const password = await makeFleet(backend.api);
  const port = Number(new URL(backend.endpoint.url).port);
  const login = { url: `ws://127.0.0.1:${port}`, user: FLEET, password };
  await using _first = await PeerAgent.join(login);
  const before = await fdsOf(backend.pid);
  await using path = await frozenPath(port);
  await using _last = await reconnect(path, password);
  await eventually(async () => {
    expect(await fdsOf(backend.pid)).toBeLessThanOrEqual(before + SLACK);
  }, 20_000);
});
