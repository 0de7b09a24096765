import { REQUESTS } from "@rport/protocol/agent";
import { describe, expect, it } from "vitest";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { Members } from "../../support/backend/member.ts";

/** A host whose agent answers whether a tunnel is allowed only when the test says so. */
async function slowHost(backend: RunningBackend) {
  const { password } = await backend.api("createCredential", { body: { id: "hosts" } });
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const agent = await PeerAgent.join({
    url: backend.url.replace("http", "ws"),
    user: "hosts",
    password,
    async onRequest(name) {
      if (name !== REQUESTS.checkTunnelAllowed) return undefined;
      asked.resolve();
      await answer.promise;
      return Buffer.from('{"IsAllowed":true}');
    },
  });
  const params = { clientId: "machine-1" };
  await backend.api("setClientAcl", { params, body: { allowed_user_groups: [] } });
  return { agent, params, asked: asked.promise, answer: answer.resolve };
}

describe("a tunnel that is asked for", () => {
  it.each([
    ["the user is disabled", "disable", 401],
    ["the user is in no group any more", "leave", 403],
    ["the client is not the user's to see any more", "hide", 404],
  ] as const)("is not opened when, before the agent has answered, %s", async (...row) => {
    const [, what, status] = row;
    await using backend = await startBackend();
    const { agent, params, asked, answer } = await slowHost(backend);
    await using _agent = agent;
    const members = new Members(backend);
    await members.group("tunnellers", "tunnels");
    await members.group("others", "auditlog");
    const anna = await members.add("anna", ["tunnellers"]);
    const show = (...names: string[]) =>
      backend.api("setClientAcl", { params, body: { allowed_user_groups: names as never } });
    await show("tunnellers", "others");
    const query = { remote: "9", check_port: "0" };
    const creating = anna.api.raw("PUT", "/clients/machine-1/tunnels", { query });
    await asked;
    if (what === "disable") await backend.api("disableUser", { params: { userName: "anna" } });
    else if (what === "leave") await anna.join("others");
    else await show("others");
    answer();
    expect((await creating).status).toBe(status);
    expect(await backend.api("listTunnels")).toEqual([]);
  });
});
