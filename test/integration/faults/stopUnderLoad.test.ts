import { expect, it } from "vitest";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { CredentialLoad } from "../../support/backend/credentialLoad.ts";
import { lossesOf } from "../../support/backend/credentialLosses.ts";
import { FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { type SpawnedBackend, spawnBackend } from "../../support/backend/spawnBackend.ts";
import { eventually } from "../../support/eventually.ts";
import { seededRandom } from "../../support/random.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import { exchange, pattern, tcpServer } from "../../support/wire/wireTunnel.ts";
import { within } from "../../support/within.ts";

const STOPS = 5;
const AGENTS = 10;
const LANES = 12;
const LOGINS = 12;
/** Changes that were answered before each stop. */
const CHANGES = 8;
const BULK_BYTES = 8 << 20;
/** Six starts of a whole server, on two cores that run other tests, too. */
const TEST_MS = 150_000;

/** Agents that are in, with a tunnel that moves as much as it can. */
async function bringLoad(
  backend: SpawnedBackend,
  password: string,
  scope: AsyncDisposableStack,
): Promise<void> {
  const url = backend.endpoint.url.replace("http", "ws");
  for (let n = 0; n < AGENTS; n += 1) {
    const introduction = { ID: `host-${n}` };
    scope.use(await PeerAgent.join({ url, user: FLEET, password, introduction }));
  }
  const echo = scope.use(await tcpServer((socket) => socket.pipe(socket)));
  const query = { remote: `127.0.0.1:${echo.port}` };
  const tunnel = await backend.api.call("createTunnel", { params: { clientId: "host-0" }, query });
  // It is cut in its middle.
  void exchange(Number(tunnel.lport), pattern(BULK_BYTES), "half-close").catch(() => undefined);
}

async function stopUnderLoad(
  backend: SpawnedBackend,
  password: string,
  load: CredentialLoad,
): Promise<void> {
  await using scope = new AsyncDisposableStack();
  await bringLoad(backend, password, scope);
  const stop = new AbortController();
  const goal = load.answered + CHANGES;
  const running = load.run(backend.api, LANES, stop.signal);
  await eventually(() => expect(load.answered).toBeGreaterThan(goal), 20_000);
  backend.signal("SIGTERM");
  // In order, or after its two seconds are over, as on a machine that is busy with all tests.
  const { code } = await within("a stop", backend.ended);
  expect([0, 1], backend.stderr().slice(-500)).toContain(code);
  stop.abort();
  await running;
}

it("F-23: five stops in a row, under agents, a busy tunnel and changes, end by themselves and lose nothing that was answered", {
  timeout: TEST_MS,
}, async () => {
  const random = seededRandom();
  const load = new CredentialLoad(random);
  await using temp = await tempDirectory();
  let password = "";
  for (let n = 0; n < STOPS; n += 1) {
    await using backend = await spawnBackend(temp.path);
    if (n === 0) password = await makeFleet(backend.api);
    await stopUnderLoad(backend, password, load);
  }
  await using backend = await spawnBackend(temp.path);
  const server = { api: backend.api, url: backend.endpoint.url };
  expect(await lossesOf(server, load, LOGINS), `RPORT_TEST_SEED=${random.seed}`).toEqual([]);
});
