import { cp } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const HOSTS = ["host-1", "host-2", "host-3", "host-4", "host-5"];

/** Every host comes in, with its id. */
async function joinAll({ url }: RunningBackend, password: string): Promise<AsyncDisposableStack> {
  const agents = new AsyncDisposableStack();
  for (const id of HOSTS) {
    const login = { url: url.replace("http", "ws"), user: FLEET, password };
    agents.use(await PeerAgent.join({ ...login, introduction: { ID: id, Name: id } }));
  }
  return agents;
}

const idsOf = async ({ api }: RunningBackend) =>
  (await api("listClients")).map(({ id }) => `${id}`).sort();

it("D-12: a copy of the directory of a stopped server serves in another place, and all agents come back to it", async () => {
  await using temp = await tempDirectory();
  const [here, there] = [join(temp.path, "here"), join(temp.path, "there", "moved")];
  let password: string;
  let fingerprint: string;
  {
    await using first = await startBackend({ dataDir: here });
    password = await makeFleet({ call: first.api });
    fingerprint = first.fingerprint;
    await using _agents = await joinAll(first, password);
  }
  await cp(here, there, { recursive: true });
  await using second = await startBackend({ dataDir: there });
  expect(second.fingerprint).toBe(fingerprint);
  expect(await idsOf(second)).toEqual(HOSTS);
  await using _agents = await joinAll(second, password);
  expect(second.backend.registry.counts).toEqual({ connected: HOSTS.length, disconnected: 0 });
  const { secret_id: added } = await second.api("addSecret", {
    params: { authId: FLEET },
    body: {},
  });
  expect(added).toBeTruthy();
  const log = await second.api("listAudit", { query: { "filter[application]": "server" } });
  expect(log.map(({ action }) => action)).toEqual(["start", "stop", "start"]);
});
