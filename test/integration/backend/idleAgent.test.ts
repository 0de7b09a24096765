import { generateKeyPairSync } from "node:crypto";
import { IncomingMessage } from "node:http";
import { queryObjects } from "node:v8";
import { it } from "vitest";
import { Handshake } from "../../../backend/src/clients/door/handshake.ts";
import { PendingSocket } from "../../../backend/src/clients/door/pendingSockets.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { eventually } from "../../support/eventually.ts";

const AGENTS = 5;
const { privateKey } = generateKeyPairSync("x25519");
/** What an agent needs to come in, and nobody needs afterwards. */
const PASSING = {
  "requests that were upgraded": IncomingMessage,
  handshakes: Handshake,
  "places among those who have not signed in": PendingSocket,
  "keys of key exchanges": privateKey.constructor,
};

/** How many of each there are, once what nobody refers to is gone. */
const counts = (): Record<string, number> =>
  Object.fromEntries(
    Object.entries(PASSING).map(([what, of]) => [what, queryObjects(of, { format: "count" })]),
  );

it("F-01: of an agent that is in, nothing is kept of how it came in", async ({ expect }) => {
  await using backend = await startBackend();
  const password = await makeFleet({ call: backend.api });
  await using agents = new AsyncDisposableStack();
  const join = async (id: string) => {
    const login = { url: backend.url.replace("http", "ws"), user: FLEET, password };
    agents.use(await PeerAgent.join({ ...login, introduction: { ID: id } }));
  };
  await join("first");
  const before = counts();
  for (let n = 0; n < AGENTS; n += 1) await join(`host-${n}`);
  await eventually(() => expect(counts()).toEqual(before));
});
