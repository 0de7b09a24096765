import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { FLEET } from "../../support/backend/fleet.ts";

const SESSIONS = 500;
const WAVE = 20;
const JOINS_PER_MINUTE = 10_000;

it("F-21: all sessions of a credential are cut, each with the reason, before what follows from that is done; the answer comes after it", async () => {
  await using backend = await startBackend();
  const limits = { joins_per_minute: JOINS_PER_MINUTE };
  const { password } = await backend.api("createCredential", { body: { id: FLEET, limits } });
  const login = { url: backend.url.replace("http", "ws"), user: FLEET, password };
  await using stack = new AsyncDisposableStack();
  const agents: PeerAgent[] = [];
  while (agents.length < SESSIONS) {
    const wave = Array.from({ length: WAVE }, (_, n) =>
      PeerAgent.join({ ...login, introduction: { ID: `host-${agents.length + n}` } }),
    );
    for (const agent of await Promise.all(wave)) agents.push(stack.use(agent));
  }
  const { presence, registry } = backend.backend;
  const sessions = [...presence.connectedSessions()];
  const query = { force: "true", report: "true" };
  const deletion = backend.api("deleteCredential", { params: { authId: FLEET }, query });
  while (!sessions.every(({ isClosed }) => isClosed)) await nextTurn();
  expect(registry.counts.connected).toBeGreaterThan(0);
  expect(await deletion).toMatchObject({ disconnected: SESSIONS });
  expect(registry.counts).toEqual({ connected: 0, disconnected: SESSIONS });
  const reasons = await Promise.all(agents.map(({ closed }) => closed));
  expect(new Set(reasons.map(({ kind, text }) => `${kind}: ${text}`))).toEqual(
    new Set(["remote: the credential was deleted"]),
  );
}, 60_000);
