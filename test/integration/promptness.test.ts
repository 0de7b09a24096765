import { expect, it } from "vitest";
import { isLetIn, PeerAgent } from "../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { FLEET, makeFleet } from "../support/backend/fleet.ts";
import { makeNetworkKnown } from "../support/backend/knownNetwork.ts";

const params = { authId: FLEET };
/** Go clients panic when their introduction is answered much later than this. */
const ANSWER_MS = 5_000;
const FLOODERS = 16;
const PROBES = 10;

const wsOf = ({ url }: RunningBackend) => url.replace("http", "ws");

it("C-37: what an administrator changes holds for the very next login, both ways", async () => {
  await using backend = await startBackend();
  const { api, url } = backend;
  await makeNetworkKnown({ api: { call: api }, url });
  const password = await makeFleet({ call: api });
  const isIn = (other = password) => isLetIn({ url: backend.url, user: FLEET, password: other });
  expect(await isIn()).toBe(true);
  await api("updateCredential", { params, body: { limits: { cidrs: ["192.0.2.0/24"] } } });
  expect(await isIn()).toBe(false);
  await api("updateCredential", { params, body: { limits: { cidrs: [] } } });
  expect(await isIn()).toBe(true);
  await api("updateCredential", {
    params,
    body: { limits: { expires_at: "2020-01-01T00:00:00Z" } },
  });
  expect(await isIn()).toBe(false);
  await api("updateCredential", { params, body: { limits: { expires_at: null } } });

  const typed = "typed by an administrator";
  expect(await isIn(typed)).toBe(false);
  const { secret_id: secretId } = await api("addSecret", { params, body: { password: typed } });
  expect(await isIn(typed)).toBe(true);
  await api("revokeSecret", { params: { ...params, secretId } });
  expect(await isIn(typed)).toBe(false);
  await api("deleteCredential", { params });
  expect(await isIn()).toBe(false);
  const again = await makeFleet({ call: api });
  expect(await isIn(again)).toBe(true);
  expect(await isIn()).toBe(false);
});

it("C-40: an introduction is answered in time while others join and leave as fast as they can", async () => {
  await using backend = await startBackend();
  const password = await makeFleet({ call: backend.api });
  const login = { url: wsOf(backend), user: FLEET, password };
  let isOver = false;
  let joins = 0;
  const flood = async (_: unknown, n: number): Promise<void> => {
    while (!isOver) {
      const ID = `flood-${n}`;
      await using _agent = await PeerAgent.join({ ...login, introduction: { ID } });
      joins += 1;
    }
  };
  const flooding = Promise.all(Array.from({ length: FLOODERS }, flood));
  const took: number[] = [];
  for (let n = 0; n < PROBES; n += 1) {
    const introduction = { ID: `probe-${n}` };
    await using agent = await PeerAgent.signIn({ ...login, introduction });
    const startMs = performance.now();
    await agent.introduce();
    took.push(performance.now() - startMs);
  }
  isOver = true;
  await flooding;
  expect(joins).toBeGreaterThan(FLOODERS);
  expect(Math.max(...took)).toBeLessThan(ANSWER_MS);
});
