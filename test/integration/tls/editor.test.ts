import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { createServer as createSecureServer } from "node:tls";
import { describe, expect, it } from "vitest";
import { accessTo } from "../../../extension/src/servers/access.ts";
import { parseServers } from "../../../extension/src/servers/config.ts";
import { Server } from "../../../extension/src/servers/server.ts";
import { logIn, meet, meetPinned } from "../../../extension/src/servers/signIn.ts";
import { Tokens } from "../../../extension/src/servers/tokens.ts";
import { systemClock } from "../../../extension/src/support/clock.ts";
import { Redactor } from "../../../extension/src/support/redact.ts";
import { Forwarder } from "../../../extension/src/tunnels/forwarder.ts";
import { spawnAgent } from "../../support/agents/agent.ts";
import { agentOf, makeFleet } from "../../support/backend/fleet.ts";
import { eventually } from "../../support/eventually.ts";
import { localServer } from "../../support/extensionServer.ts";
import { startSelfSigned } from "../../support/tls/selfSignedBackend.ts";
import { testCertificate } from "../../support/tls/testCertificate.ts";
import { silentLog } from "../../unit/extension/serverFixture.ts";

const HOST = "machine-1";
const PATIENT = { timeout: 60_000 };

/** An editor that is signed in to a server which its setting names with this pin. */
function editorAt(url: string, tlsPin: string, token: string) {
  const [config] = parseServers([{ url, tlsPin }]);
  if (config === undefined) throw new Error("the entry cannot be used");
  const redactor = new Redactor();
  const kept = JSON.stringify({ token, made: true });
  const store = { get: async () => kept, store: async () => {}, delete: async () => {} };
  const environment = {
    platform: process.platform,
    homeDirectory: "/nowhere",
    uid: undefined,
    variable: () => undefined,
  };
  const tokens = new Tokens({ store, redactor });
  const server = new Server({
    config,
    access: accessTo(config, { environment, tokens, redactor }),
    fetch,
    clock: systemClock,
    log: silentLog,
    random: () => 0.5,
    rememberFingerprint: () => {},
  });
  server.connect();
  return { server, [Symbol.dispose]: () => server.disconnect() };
}

describe("PAIR-11: the editor at a server that makes its own key", PATIENT, () => {
  it("finds out the key before anything is sent, and signs in over it alone", async () => {
    await using backend = await startSelfSigned();
    await backend.call("createUser", {
      body: { username: "root", password: "correct horse battery", groups: ["Administrators"] },
    });
    await expect(meet({ url: backend.url, fetch })).rejects.toThrow("self-signed");
    const { door, face } = await meetPinned({ url: backend.url, fetch });
    expect(door.tlsPin).toBe(backend.pin);
    expect(face.fingerprint_sha256).toBe(backend.fingerprint);
    const login = { username: "root", password: "correct horse battery" };
    expect((await logIn(door, login)).jwt).not.toBe("");
  });

  it("shows its hosts live, and reaches them, over connections to that key", async () => {
    await using backend = await startSelfSigned();
    const password = await makeFleet({ call: (name, call) => backend.call(name, call) });
    using editor = editorAt(backend.url, backend.pin, backend.token);
    const { server } = editor;
    await eventually(() => expect(server.state.kind).toBe("connected"));
    const settings = agentOf(backend, password, HOST);
    await using _agent = await spawnAgent({
      ...settings,
      client: { ...settings.client, tls_pin: backend.pin },
    });
    await eventually(() => expect(server.clients.withStatus("online")).toEqual([HOST]), 20_000);
    await using web = createServer((_, response) => response.end("hello"));
    web.listen(0, "127.0.0.1");
    await once(web, "listening");
    const remote = { host: "127.0.0.1", port: (web.address() as AddressInfo).port };
    const target = { access: server.access, clientId: HOST, remote };
    const forwarder = await Forwarder.listen(target, [0]);
    const answer = await fetch(`http://127.0.0.1:${forwarder.port}/`, {
      headers: { connection: "close" },
    });
    expect(await answer.text()).toBe("hello");
    forwarder.close();
  });

  it("tells nothing to whoever shows another key, and says both", async () => {
    const known = testCertificate();
    const other = testCertificate();
    const told: Buffer[] = [];
    const stranger = createSecureServer({ cert: other.certificate, key: other.key }, (socket) => {
      socket.on("error", () => {});
      socket.on("data", (data) => told.push(data));
    });
    stranger.listen(0, "127.0.0.1");
    await once(stranger, "listening");
    const { port } = stranger.address() as AddressInfo;
    const url = `https://127.0.0.1:${port}`;
    using editor = editorAt(url, known.pin, "a-token-that-nobody-is-to-see");
    const { server } = editor;
    await eventually(() => expect(server.state.kind).toBe("waiting"));
    const reason = server.state.kind === "waiting" ? server.state.reason : "";
    const failed = await server.api.call("getStatus").catch((error: unknown) => String(error));
    for (const text of [reason, String(failed)]) {
      expect(text).toContain(known.pin);
      expect(text).toContain(other.pin);
    }
    const met = meet({ url, tlsPin: known.pin, fetch });
    await expect(met).rejects.toThrow("another TLS key");
    expect(Buffer.concat(told).toString()).toBe("");
    server.disconnect();
    stranger.close();
  });

  it("finds a backend of its own computer, whose key stands in the endpoint file", async () => {
    await using backend = await startSelfSigned();
    using local = localServer(backend.dataDir);
    await eventually(() => expect(local.server.state.kind).toBe("connected"));
    expect(local.server.address).toBe(backend.url);
  });

  it("uses no entry of the setting whose pin is none", () => {
    const url = "https://relay.example.com";
    expect(parseServers([{ url, tlsPin: "sha256//short" }])).toEqual([]);
    expect(parseServers([{ url, tlsPin: "" }])).toMatchObject([{ url, tlsPin: undefined }]);
  });

  it("is told in a sentence that a port speaks TLS, when it was told http", async () => {
    await using backend = await startSelfSigned();
    const socket = connect(backend.port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const [text] = await once(socket, "data");
    expect(String(text)).toContain("use https://");
    socket.destroy();
  });
});
