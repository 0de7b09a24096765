import { authIdSchema } from "@rport/protocol/ids";
import { encodeMessage } from "@rport/protocol/wire/connection/messages";
import { describe, expect, it } from "vitest";
import { PeerAgent, PLAIN_INTRODUCTION } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { eventually } from "../../support/eventually.ts";
import { rawHttp, upgradeHead } from "../../support/faults/rawHttp.ts";
import { RawPeer, type RawPeerOptions, sshString } from "../../support/faults/rawPeer.ts";
import { AGENT_HEADERS } from "../../support/faults/silentPeers.ts";
import { PASSWORD, USER } from "../../support/wire/wirePair.ts";

/** Another credential than the one that raw peers have. */
const OTHER = "other-one";
const OTHER_PASSWORD = "another-password-1";

const wsOf = ({ url }: RunningBackend) => url.replace("http", "ws");

async function startWithCredentials(): Promise<RunningBackend> {
  const backend = await startBackend();
  await backend.api("createCredential", { body: { id: USER, password: PASSWORD } });
  await backend.api("createCredential", { body: { id: OTHER, password: OTHER_PASSWORD } });
  return backend;
}

async function rawPeer(
  backend: RunningBackend,
  options: Omit<RawPeerOptions, "url" | "headers">,
): Promise<RawPeer> {
  const peer = new RawPeer({ url: wsOf(backend), headers: AGENT_HEADERS, ...options });
  await peer.reached.promise;
  return peer;
}

/** Nobody is in, and nothing was opened. */
async function expectNobody(backend: RunningBackend): Promise<void> {
  const { presence, agentDoor } = backend.backend;
  for (const id of [USER, OTHER]) {
    expect(presence.ofCredential(authIdSchema.parse(id))).toEqual([]);
  }
  expect(agentDoor.counters.afterLogin).toBe(0);
  expect(await backend.api("listClients")).toEqual([]);
}

const OPEN_CHANNEL = encodeMessage({
  kind: "open",
  type: "session",
  sender: 7,
  window: 1_000,
  maxPacket: 32_768,
  extra: Buffer.alloc(0),
});
const NEW_CONNECTION = requestOf("new_connection", "{}");

/** A request of the connection layer that wants a reply. */
function requestOf(name: string, payload: string): Buffer {
  return Buffer.concat([Buffer.of(80), sshString(name), Buffer.of(1), Buffer.from(payload)]);
}

/** What the audit log says of agents, oldest first: application, action, credential. */
async function principals(backend: RunningBackend): Promise<readonly string[][]> {
  const rows = await backend.api("listAudit", { query: { sort: "-seq" } });
  const ofAgents = rows.filter(({ application, action }) =>
    ["client connect", "client.auth failed", "client failed"].includes(`${application} ${action}`),
  );
  return ofAgents
    .map(({ application, action, affected_id }) => [application, action, affected_id])
    .reverse();
}

/** A login request of another method, with the fields it would have. */
const loginBy = (method: string, ...fields: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.of(50), ...[USER, "ssh-connection", method].map(sshString), ...fields]);

describe("C-09: a login by", () => {
  const key = [Buffer.of(0), sshString("ssh-ed25519"), sshString("a key")];
  const signed = [Buffer.of(1), ...key.slice(1), sshString("a signature")];
  const host = [sshString("host"), sshString("root"), sshString("a signature")];
  it.each([
    ["none", loginBy("none")],
    ["publickey", loginBy("publickey", ...key)],
    ["publickey with a signature", loginBy("publickey", ...signed)],
    [
      "a certificate",
      loginBy(
        "publickey",
        Buffer.of(1),
        sshString("ssh-ed25519-cert-v01@openssh.com"),
        sshString("a certificate"),
        sshString("a signature"),
      ),
    ],
    ["hostbased", loginBy("hostbased", sshString("ssh-ed25519"), sshString("a key"), ...host)],
    ["keyboard-interactive", loginBy("keyboard-interactive", sshString(""), sshString(""))],
    ["gssapi-with-mic", loginBy("gssapi-with-mic", Buffer.of(0, 0, 0, 1), sshString("x"))],
    ["a changed password", loginBy("password", Buffer.of(1), sshString("x"), sshString(PASSWORD))],
  ])("%s lets nobody in", async (_method, request) => {
    await using backend = await startWithCredentials();
    const peer = await rawPeer(backend, { stage: "keys" });
    peer.engine.requestService("ssh-userauth");
    peer.send(request);
    peer.send(NEW_CONNECTION);
    await peer.ended.promise;
    expect(peer.isIn).toBe(false);
    await expectNobody(backend);
  });
});

/** Messages that would do something if they were taken. */
const WHOLE: Readonly<Record<number, Buffer>> = { 80: NEW_CONNECTION, 90: OPEN_CHANNEL };

describe("C-10: before the login", () => {
  const connectionMessages = Array.from({ length: 11 }, (_, n) => 90 + n);
  it.each([52, 80, ...connectionMessages])(
    "message %i ends the connection, after the keys and after a refused login alike",
    async (type) => {
      await using backend = await startWithCredentials();
      const payload = WHOLE[type] ?? Buffer.concat([Buffer.of(type), Buffer.alloc(40)]);
      const early = await rawPeer(backend, { stage: "keys" });
      early.send(payload);
      expect(await early.ended.promise).toContain(`message ${type} before the login`);

      const refused = await rawPeer(backend, {
        stage: "keys",
        onRefused: (peer) => peer.send(payload),
      });
      refused.engine.requestService("ssh-userauth");
      refused.engine.sendPassword(USER, "wrong");
      expect(await refused.ended.promise).toContain(`message ${type} before the login`);
      for (const peer of [early, refused]) {
        expect(peer.isIn).toBe(false);
        expect(peer.received).toEqual([]);
      }
      await expectNobody(backend);
    },
  );
});

describe("a connection on which a login failed", () => {
  it.each([
    ["an introduction", NEW_CONNECTION],
    ["a channel", OPEN_CHANNEL],
    ["a ping", requestOf("ping", "")],
  ])("C-26: has every request refused: %s", async (_what, payload) => {
    await using backend = await startWithCredentials();
    const peer = await rawPeer(backend, {
      stage: "keys",
      onRefused: (self) => self.send(payload),
    });
    peer.engine.requestService("ssh-userauth");
    peer.engine.sendPassword(USER, "wrong");
    await peer.ended.promise;
    expect(peer.received).toEqual([]);
    await expectNobody(backend);
  });

  it("C-11: belongs to the auth id that was right, everywhere, when another one was wrong before", async () => {
    await using backend = await startWithCredentials();
    const peer = await rawPeer(backend, {
      stage: "keys",
      onRefused: (self) => self.engine.sendPassword(USER, PASSWORD),
    });
    peer.engine.requestService("ssh-userauth");
    peer.engine.sendPassword(OTHER, "wrong");
    await eventually(() => expect(peer.isIn).toBe(true));
    peer.send(requestOf("new_connection", JSON.stringify(PLAIN_INTRODUCTION)));
    const { ID: clientId } = PLAIN_INTRODUCTION;
    const client = await eventually(() => backend.api("getClient", { params: { clientId } }));
    expect(client).toMatchObject({ client_auth_id: USER, connection_state: "connected" });
    const { presence } = backend.backend;
    expect(presence.ofCredential(authIdSchema.parse(OTHER))).toEqual([]);
    expect(presence.ofCredential(authIdSchema.parse(USER))).toHaveLength(1);
    await eventually(async () =>
      expect(await principals(backend)).toEqual([
        ["client.auth", "failed", OTHER],
        ["client", "connect", USER],
      ]),
    );
    const secretsOf = (authId: string) => backend.api("listSecrets", { params: { authId } });
    await eventually(async () => expect((await secretsOf(USER))[0]?.last_used_at).not.toBeNull());
    expect((await secretsOf(OTHER))[0]?.last_used_at).toBeNull();
    peer.ws.terminate();
  });
});

describe("C-01: two identities in one request", () => {
  const basic = (user: string, password: string) =>
    `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

  it.each([
    ["Authorization", { Authorization: basic(OTHER, OTHER_PASSWORD) }, ""],
    ["Proxy-Authorization", { "Proxy-Authorization": basic(OTHER, OTHER_PASSWORD) }, ""],
    ["a cookie", { Cookie: `user=${OTHER}; auth=${OTHER}:${OTHER_PASSWORD}` }, ""],
    ["a header of a proxy", { "X-Forwarded-User": OTHER, "X-Remote-User": OTHER }, ""],
    ["the query", {}, `/?user=${OTHER}&password=${OTHER_PASSWORD}&auth=${OTHER}`],
    ["the path", {}, `/api/v1/clients-auth/${OTHER}`],
  ])(
    "%s and the SSH login: the login is who it is, for everybody",
    async (_what, headers, path) => {
      await using backend = await startWithCredentials();
      const url = wsOf(backend) + path;
      const login = { url, headers, password: PASSWORD };
      await using agent = await PeerAgent.join({ ...login, user: USER });
      await agent.ask("ping");
      const { ID: clientId } = PLAIN_INTRODUCTION;
      const client = await backend.api("getClient", { params: { clientId } });
      expect(client.client_auth_id).toBe(USER);
      expect(await principals(backend)).toEqual([["client", "connect", USER]]);
      await expect(PeerAgent.signIn({ ...login, user: OTHER })).rejects.toMatchObject({
        kind: "login",
      });
    },
  );

  it("an agent's subprotocol and a user's token: the token opens nothing", async () => {
    await using backend = await startWithCredentials();
    const headers = { ...AGENT_HEADERS, Authorization: `Bearer ${backend.token}` };
    const url = `${wsOf(backend)}/api/v1/events?access_token=${backend.token}`;
    const peer = new RawPeer({ url, headers, stage: "keys" });
    await peer.reached.promise;
    peer.send(requestOf("new_connection", JSON.stringify(PLAIN_INTRODUCTION)));
    await peer.ended.promise;
    expect(peer.received).toEqual([]);
    await expectNobody(backend);
    expect(await principals(backend)).toEqual([]);
  });

  it("a user's header and a token in the query: the header alone decides", async () => {
    await using backend = await startBackend();
    const { tokens } = backend.backend;
    const [first, second] = [tokens.issue("first").token, tokens.issue("second").token];
    const open = async (authorization: string, inQuery: string) => {
      const head = [`Host: 127.0.0.1:${backend.port}`, `Authorization: ${authorization}`];
      const target = `/api/v1/events?access_token=${inQuery}`;
      return (await rawHttp(backend.port, upgradeHead(target, head))).status;
    };
    expect(await open("Bearer wrong", second)).toBe(401);
    expect(await open(basic("second", "wrong"), second)).toBe(401);
    expect(await open(`Bearer ${first}`, "wrong")).toBe(101);
    expect(await open(`Bearer ${first}`, second)).toBe(101);
    expect(await open(basic("second", first), second)).toBe(101);
    const query = { "filter[application]": "auth.api.session", "filter[action]": "success" };
    const users = async () =>
      (await backend.api("listAudit", { query })).map((row) => row.username);
    await eventually(async () => expect(await users()).toContain("first"));
    expect(await users()).not.toContain("second");
  });
});
