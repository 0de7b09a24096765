import { CLOSE_CODES } from "@rport/protocol/errors";
import { DIAL_PATH } from "@rport/protocol/http";
import { ADMINISTRATORS } from "@rport/protocol/people/right";
import { describe, expect, it } from "vitest";
import WebSocket from "ws";
import { startAgent } from "../../support/agents/agent.ts";
import { TestApi } from "../../support/backend/api.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { agentOf, FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { eventually } from "../../support/eventually.ts";
import { tcpServer } from "../../support/wire/wireTunnel.ts";

const PASSWORD = "correct horse battery";

describe("an administrator who is disabled", () => {
  it("S-19, S-21: loses everything that is open within a second, and is told apart by what they know", async () => {
    await using backend = await startBackend();
    await using stack = new AsyncDisposableStack();
    const { api, url } = backend;
    const password = await makeFleet({ call: api });
    const agent = stack.use(await startAgent(agentOf(backend, password, "web-01")));
    await agent.online();
    const target = await tcpServer((socket) => socket.resume());
    const groups = [ADMINISTRATORS];
    await api("createUser", { body: { username: "root", password: PASSWORD, groups } });
    await api("createUser", { body: { username: "anna", password: PASSWORD, groups } });
    const params = { userName: "anna" };
    const input = { name: "laptop", scope: "read+write" as const };
    const { token } = await api("createUserToken", { params, body: input });
    const hers = new TestApi(url, token);
    const body = { password: "known-to-the-one-who-leaves" };
    const { secret_id: known } = Object(
      await hers.call("addSecret", { params: { authId: FLEET }, body }),
    );
    await hers.call("createPairing", { body: { credential_id: FLEET } });
    await hers.call("createInvitation", { body: { groups } });
    const impersonation = await hers.raw("POST", "/users/root/tokens", { body: input });
    expect(impersonation.status).toBe(403);
    using events = backend.events(token);
    await events.snapshot();
    const query = new URLSearchParams({
      client_id: "web-01",
      host: "127.0.0.1",
      port: String(target.port),
    });
    const closed = [1, 2].map(() => {
      const path = `${url.replace(/^http/, "ws")}${DIAL_PATH}?${query}`;
      const socket = new WebSocket(path, { headers: { authorization: `Bearer ${token}` } });
      socket.on("error", () => {});
      return new Promise((resolve) => socket.once("close", resolve));
    });
    const dry = { params, query: { dry_run: "true" } };
    const all = { tokens: 1, sessions: 0, sockets: 1, editor_connections: 2, pairings: 1 };
    await eventually(async () => {
      expect(await api("disableUser", dry)).toEqual({ ...all, invitations: 1 });
    });

    const startMs = performance.now();
    expect(await api("disableUser", { params })).toEqual({ ...all, invitations: 1 });
    expect(await events.closed).toBe(CLOSE_CODES.unauthorized);
    expect(await Promise.all(closed)).toEqual([CLOSE_CODES.unauthorized, CLOSE_CODES.unauthorized]);
    expect(performance.now() - startMs).toBeLessThan(1_000);
    expect((await hers.raw("GET", "/me")).status).toBe(401);
    expect(await api("listInvitations")).toEqual([]);
    expect(await api("listPairings")).toMatchObject([{ state: "revoked" }]);
    expect(await api("listKnownSecrets", { params })).toMatchObject([
      { auth_id: FLEET, secret_id: known, known_by: "typed" },
    ]);
    expect(await api("disableUser", dry)).toEqual({
      tokens: 0,
      sessions: 0,
      sockets: 0,
      editor_connections: 0,
      pairings: 0,
      invitations: 0,
    });
    expect(agent.agent.state.kind).toBe("online");
  });
});
