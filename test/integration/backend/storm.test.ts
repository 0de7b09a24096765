import { expect, it } from "vitest";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { FLEET, makeFleet } from "../../support/backend/fleet.ts";

/** A tenth of what the bench sends. */
const EACH = 30;
/** Addresses of either side. */
const NETWORKS = 12;

it("F-03, F-05: a storm in which half are attackers with wrong secrets brings every honest agent back, and no other", async () => {
  await using backend = await startBackend();
  const { api, url } = backend;
  const password = await makeFleet({ call: api });
  const login = (n: number, from: string, secret: string) => ({
    url: url.replace("http", "ws"),
    user: FLEET,
    password: secret,
    from,
    introduction: { ID: `host-${n}`, Name: `host-${n}` },
  });
  const honest = Array.from({ length: EACH }, (_, n) =>
    PeerAgent.join(login(n, `127.0.0.${2 + (n % NETWORKS)}`, password)),
  );
  const attackers = Array.from({ length: EACH }, (_, n) =>
    PeerAgent.join(login(n, `127.0.1.${2 + (n % NETWORKS)}`, `wrong-secret-${n}`)),
  );
  const refused = await Promise.allSettled(attackers);
  await using agents = new AsyncDisposableStack();
  for (const agent of await Promise.all(honest)) agents.use(agent);
  expect(refused.filter(({ status }) => status === "fulfilled")).toEqual([]);
  expect(backend.backend.registry.counts).toEqual({ connected: EACH, disconnected: 0 });
  const reasons = new Set((await api("listRefusals")).map(({ reason }) => reason));
  expect([...reasons].filter((one) => one !== "wrong-secret" && one !== "penalty")).toEqual([]);
}, 60_000);
