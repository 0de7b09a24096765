import { expect, it } from "vitest";
import { startAgent } from "../../support/agents/agent.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { agentOf, FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { eventually } from "../../support/eventually.ts";

const params = { authId: FLEET };
const query = { "filter[application]": "client.auth.rotation", sort: "timestamp" };

it("a rotation that ends by itself is in the audit log: why, who was cut, which pairings", async () => {
  await using backend = await startBackend();
  const { api } = backend;
  const password = await makeFleet({ call: api });
  await using agent = await startAgent(agentOf(backend, password, "web-01"));
  await agent.online();
  const ends: string[] = [];
  for (const [graceS, why] of [
    [null, "moved"],
    [0, "answered"],
    [1, "time"],
  ] as const) {
    await api("rotateCredential", { params, body: { grace_seconds: graceS } });
    ends.push(why);
    await eventually(async () => {
      const rows = await api("listAudit", { query });
      expect(rows.map(({ request }) => JSON.parse(request).why).sort()).toEqual([...ends].sort());
      expect(new Set(rows.map(({ action, username }) => `${action} ${username}`))).toEqual(
        new Set(["finish "]),
      );
      for (const { response, affected_id: id } of rows) {
        expect(id).toBe(FLEET);
        expect(JSON.parse(response)).toEqual({ clients: [], disconnected: 0, pairings: 0 });
      }
    }, 10_000);
  }
  expect(agent.agent.state.kind).toBe("online");
});
