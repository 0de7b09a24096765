import { REQUESTS, rotateSecretSchema } from "@rport/protocol/agent";
import { clientIdSchema } from "@rport/protocol/ids";
import {
  claimAnswerSchema,
  type PairingPayload,
  pairingTokenSchema,
} from "@rport/protocol/pairing";
import type { NewPairing } from "@rport/protocol/pairing/endpoints";
import { claimProof, tokenParts, unseal } from "@rport/protocol/sealing";
import { expect, it } from "vitest";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { eventually } from "../../support/eventually.ts";

const ID = clientIdSchema.parse("machine-1");
const CLAIMANT = Buffer.alloc(16, 7).toString("base64url");

const pair = async (side: RunningBackend): Promise<NewPairing> =>
  await side.api("createPairing", { body: { credential_id: await firstCredential(side) } });

async function firstCredential(side: RunningBackend): Promise<string> {
  const [first] = await side.api("listCredentials");
  if (first === undefined) throw new Error("a fresh backend has a credential");
  return first.id;
}

/** What an installer does: proves that it knows the token, and opens the envelope. */
async function claim(side: RunningBackend, pairing: NewPairing): Promise<PairingPayload> {
  const parts = tokenParts(pairingTokenSchema.parse(pairing.token));
  const response = await fetch(`${side.url}/pair/v1/claim`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      id: parts.id,
      claimant: CLAIMANT,
      proof: claimProof(parts, CLAIMANT),
      client_id: ID,
      hostname: "web01",
    }),
  });
  const { envelope } = claimAnswerSchema.parse(await response.json());
  return unseal(parts, envelope);
}

const agentOf = (
  side: RunningBackend,
  { auth_id, secret }: { auth_id: string; secret: string },
) => ({
  url: `ws://127.0.0.1:${side.port}`,
  user: auth_id,
  password: secret,
});

it("a host is paired, its secret bound and rotated under it, and it is cut off with its credential", async () => {
  await using side = await startBackend();
  const pairing = await pair(side);
  const payload = await claim(side, pairing);
  expect(payload.fingerprint).toBe(side.fingerprint);

  const handed: { auth_id: string; secret: string }[] = [];
  const store = (name: string, body: Buffer) => {
    if (name !== REQUESTS.rotateSecret) return undefined;
    const next = rotateSecretSchema.parse(JSON.parse(body.toString()));
    handed.push(next);
    return Buffer.from(JSON.stringify({ secret_id: next.secret_id }));
  };
  const introduction = { Features: ["rotate-secret"] };
  const options = { ...agentOf(side, payload), introduction, onRequest: store };
  const agent = await PeerAgent.join(options);
  const client = await side.api("getClient", { params: { clientId: ID } });
  expect(client).toMatchObject({
    connection_state: "connected",
    secret: { origin: "pairing", state: "active" },
  });

  const thief = { ...options, introduction: { ID: "machine-2" } };
  await expect(PeerAgent.join(thief)).rejects.toThrow();

  const authId = payload.auth_id;
  const body = { grace_seconds: 0 };
  await side.api("rotateCredential", { params: { authId }, body });
  await eventually(() => expect(handed).toHaveLength(1));
  await eventually(async () => {
    const moved = await side.api("getClient", { params: { clientId: ID } });
    expect(moved.secret).toMatchObject({ origin: "rotation", state: "active" });
  });
  // the old secret ends when it is over: when all have moved, and that is on disk
  await eventually(async () => {
    const { rotation } = await side.api("getCredential", { params: { authId } });
    expect(rotation).toBeNull();
  });
  expect(agent.connection.transport.isClosed).toBe(false);
  agent.close();
  await expect(PeerAgent.join(options)).rejects.toMatchObject({ kind: "login" });
  const moved = { ...options, ...agentOf(side, handed[0] ?? payload) };
  const back = await PeerAgent.join(moved);

  const query = { force: "true", report: "true" };
  const report = await side.api("deleteCredential", { params: { authId }, query });
  expect(report).toMatchObject({ disconnected: 1, clients: [{ id: ID }] });
  expect((await back.closed).text).toMatch(/deleted/);
  await expect(PeerAgent.join(moved)).rejects.toMatchObject({ kind: "login" });
  const kept = await side.api("getClient", { params: { clientId: ID } });
  expect(kept.connection_state).toBe("disconnected");
});
