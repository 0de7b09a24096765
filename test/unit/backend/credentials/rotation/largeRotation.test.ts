import { expect, it } from "vitest";
import { authId, openCredentials } from "../../../../support/backend/credentials.ts";
import { FakeAgent } from "../../../../support/backend/sessions.ts";
import { eventually } from "../../../../support/eventually.ts";

const FLEET = authId("fleet");
const AGENTS = 100;
const HOUR_MS = 3_600_000;

it("F-22: a rotation moves a hundred connected agents, cuts and strands none, and each comes back with its own secret", async () => {
  await using fixture = await openCredentials();
  const { credentials, clients } = fixture;
  const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
  const agents = Array.from({ length: AGENTS }, (_, n) => new FakeAgent(`h-${n}`, FLEET, password));
  const sessions = [];
  for (const agent of agents) sessions.push(await clients.connect(credentials, agent));
  await credentials.rotations.start(FLEET, HOUR_MS);
  await eventually(() => expect(credentials.get(FLEET)?.rotation?.moved).toBe(AGENTS), 20_000);
  await credentials.rotations.finish(FLEET);
  expect(sessions.map(({ cutReason }) => cutReason)).toEqual(agents.map(() => undefined));
  expect(new Set(agents.map((agent) => agent.password)).size).toBe(AGENTS);
  const again = await fixture.crash();
  for (const agent of agents) await clients.connect(again, agent);
  const old = new FakeAgent("h-0", FLEET, password);
  await expect(clients.connect(again, old)).rejects.toThrow("revoked");
}, 60_000);
