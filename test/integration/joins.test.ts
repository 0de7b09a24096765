import type { Join } from "@rport/protocol/model";
import { describe, expect, it } from "vitest";
import { type RunningBackend, startBackend } from "../support/backend.ts";
import { eventually } from "../support/eventually.ts";
import { PeerAgent } from "../support/peerAgent.ts";

const FLEET = "fleet";
const params = { authId: FLEET };

/** A credential whose new clients wait; answers with what its hosts sign in with. */
async function makeGuarded({ api, url }: RunningBackend, limits = {}) {
  const body = { id: FLEET, limits: { approval: true, ...limits } };
  const { password } = await api("createCredential", { body });
  return { url: url.replace("http", "ws"), user: FLEET, password };
}

/** The only client that waits. */
function oneJoin({ api }: RunningBackend): Promise<Join> {
  return eventually(async () => {
    const [join, ...others] = await api("listJoins");
    if (join === undefined || others.length > 0) throw new Error("not one client waits");
    return join;
  });
}

/** The introduction's end: the server's text, or "in". */
const endOf = (joining: Promise<unknown>) =>
  joining.then(
    () => "in",
    (error: Error) => error.message,
  );

describe("first joins that wait for approval", () => {
  it("are listed and told live, let in when approved, and known from then on", async () => {
    await using backend = await startBackend();
    const login = await makeGuarded(backend);
    using events = backend.events();
    expect((await events.snapshot()).joins).toEqual([]);
    await using agent = await PeerAgent.signIn(login);
    const end = endOf(agent.introduce());
    const join = await oneJoin(backend);
    expect(join).toMatchObject({
      ...{ credential_id: FLEET, client_id: "machine-1", name: "web01", address: "127.0.0.1" },
      ...{ hostname: "web01.example.com", os_full_name: "Debian 12.5" },
    });
    expect(Date.parse(join.expires_at) - Date.parse(join.at)).toBeCloseTo(600_000, -3);
    const told = (isOver: boolean) =>
      events.until((messages) =>
        messages
          .flatMap((message) => (message.type === "delta" ? message.changes : []))
          .find((one) => one.entity === "join" && (one.value === null) === isOver),
      );
    expect(await told(false)).toMatchObject({ id: join.id, value: join });
    expect(await backend.api("listClients")).toEqual([]);

    const joinParams = { joinId: join.id };
    expect(await backend.api("approveJoin", { params: joinParams })).toEqual(join);
    expect(await end).toBe("in");
    expect(await told(true)).toMatchObject({ id: join.id });
    expect(await backend.api("listJoins")).toEqual([]);
    const again = await backend.raw("POST", `/joins/${join.id}/approve`);
    expect(again.status).toBe(404);
    const audit = await backend.api("listAudit", {
      query: { "filter[application]": "client.join" },
    });
    expect(audit).toMatchObject([
      {
        ...{ action: "approve", affected_id: FLEET, client_id: "machine-1", username: "local" },
        client_hostname: "web01.example.com",
      },
    ]);

    agent.close();
    await agent.closed;
    await using _known = await PeerAgent.join(login);
    expect(await backend.api("listJoins")).toEqual([]);
  });

  it("are turned away when denied, and not asked about again soon", async () => {
    await using backend = await startBackend();
    const login = await makeGuarded(backend);
    await using agent = await PeerAgent.signIn(login);
    const end = endOf(agent.introduce());
    const { id: joinId } = await oneJoin(backend);
    await backend.api("denyJoin", { params: { joinId } });
    expect(await end).toMatch(/not approved/);
    expect(await endOf(PeerAgent.join(login))).toMatch(/not approved/);
    expect(await backend.api("listJoins")).toEqual([]);
    expect(await backend.api("listClients")).toEqual([]);
    expect(await backend.api("listRefusals")).toMatchObject([
      { reason: "not-approved", client_id: "machine-1", count: 2 },
    ]);
    const audit = await backend.api("listAudit", {
      query: { "filter[application]": "client.join" },
    });
    expect(audit).toMatchObject([{ action: "deny", client_id: "machine-1" }]);
  });

  it("C-36: end at once when the credential is deleted, and do not slip in", async () => {
    await using backend = await startBackend();
    const login = await makeGuarded(backend);
    await using agent = await PeerAgent.signIn(login);
    const end = endOf(agent.introduce());
    await oneJoin(backend);
    await backend.api("deleteCredential", { params });
    expect(await end).not.toBe("in");
    await agent.closed;
    expect(await backend.api("listJoins")).toEqual([]);
    expect(await backend.api("listClients")).toEqual([]);
  });
});
