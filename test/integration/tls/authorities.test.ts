import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { getCACertificates } from "node:tls";
import { describe, expect, it } from "vitest";
import { accessTo } from "../../../extension/src/servers/access.ts";
import { networkProbes } from "../../../extension/src/servers/checks/networkProbes.ts";
import { parseServers } from "../../../extension/src/servers/config.ts";
import { Server } from "../../../extension/src/servers/server.ts";
import { meetPinned } from "../../../extension/src/servers/signIn.ts";
import { Tokens } from "../../../extension/src/servers/tokens.ts";
import { Authorities } from "../../../extension/src/servers/trust/authorities.ts";
import { trustingFetch } from "../../../extension/src/servers/trust/trustingFetch.ts";
import { systemClock } from "../../../extension/src/support/clock.ts";
import { Redactor } from "../../../extension/src/support/redact.ts";
import { Forwarder } from "../../../extension/src/tunnels/forwarder.ts";
import { spawnAgent } from "../../support/agents/agent.ts";
import { agentOf, makeFleet } from "../../support/backend/fleet.ts";
import { eventually } from "../../support/eventually.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import { testAuthority } from "../../support/tls/testAuthority.ts";
import { startTlsBackend, type TlsBackend } from "../../support/tls/tlsBackend.ts";
import { silentLog } from "../../unit/extension/serverFixture.ts";

const HOST = "machine-1";
const PATIENT = { timeout: 60_000 };

/** An editor that is signed in to a server, with a setting that a test may change. */
function editorAt(backend: TlsBackend, file: { path: string }, tlsPin?: string) {
  const [config] = parseServers([{ url: backend.url, tlsPin: tlsPin ?? "" }]);
  if (config === undefined) throw new Error("the entry cannot be used");
  const redactor = new Redactor();
  const kept = JSON.stringify({ token: backend.token, made: true });
  const store = { get: async () => kept, store: async () => {}, delete: async () => {} };
  const homeDirectory = "/nowhere";
  const environment = {
    platform: process.platform,
    homeDirectory,
    uid: undefined,
    variable: () => undefined,
  };
  const authorities = new Authorities({ setting: () => file.path, homeDirectory });
  const trusting = trustingFetch(fetch, authorities);
  const tokens = new Tokens({ store, redactor });
  const server = new Server({
    config,
    access: accessTo(config, { environment, tokens, redactor, authorities }),
    fetch: trusting,
    clock: systemClock,
    log: silentLog,
    random: () => 0.5,
    rememberFingerprint: () => {},
  });
  server.connect();
  const reason = () => (server.state.kind === "waiting" ? server.state.reason : "");
  return { server, authorities, trusting, reason, [Symbol.dispose]: () => server.disconnect() };
}

describe("the editor at a server that an authority of one's own vouches for", PATIENT, () => {
  it("believes it in requests, events and tunnels, as long as the setting names the authority", async () => {
    const authority = testAuthority();
    await using folder = await tempDirectory();
    const path = join(folder.path, "ca.pem");
    await writeFile(path, `Our authority\n${authority.certificate}`);
    await using backend = await startTlsBackend({}, authority.issue());
    const file = { path: "" };
    using editor = editorAt(backend, file);
    const { server, trusting, authorities } = editor;
    await eventually(() => expect(server.state.kind).toBe("waiting"));
    expect(editor.reason()).toContain("not from an authority");
    await expect(server.api.call("getStatus")).rejects.toThrow("not from an authority");

    file.path = path;
    server.connect();
    await eventually(() => expect(server.state.kind).toBe("connected"));
    const { status } = await server.api.ask();
    expect(status.fingerprint_sha256).toBe(backend.fingerprint);
    await server.api.call("createCredential", { body: { id: "lab" } });
    // nobody is asked to accept a key of the server's own
    const { door } = await meetPinned({ url: backend.url, fetch: trusting });
    expect(door.tlsPin).toBeUndefined();
    const place = { host: "127.0.0.1", port: backend.port };
    expect((await networkProbes.showTls(place, await authorities.get())).distrust).toBe(undefined);

    // the file is read again when somebody writes another one
    await writeFile(path, testAuthority().certificate);
    await expect(server.api.call("getStatus")).rejects.toThrow("not from an authority");
    file.path = "";
    await expect(server.api.call("getStatus")).rejects.toThrow("not from an authority");
  });

  it("leads tunnels over such a connection", async () => {
    const authority = testAuthority();
    await using folder = await tempDirectory();
    const path = join(folder.path, "ca.pem");
    await writeFile(path, authority.certificate);
    await using backend = await startTlsBackend({}, authority.issue());
    using editor = editorAt(backend, { path });
    const { server } = editor;
    await eventually(() => expect(server.state.kind).toBe("connected"));
    const password = await makeFleet({ call: (name, call) => server.api.call(name, call) });
    const settings = agentOf(backend, password, HOST);
    const client = { ...settings.client, tls_pin: backend.first.pin };
    await using _agent = await spawnAgent({ ...settings, client });
    await eventually(() => expect(server.clients.withStatus("online")).toEqual([HOST]), 20_000);
    await using web = createServer((_, response) => response.end("hello"));
    web.listen(0, "127.0.0.1");
    await once(web, "listening");
    const remote = { host: "127.0.0.1", port: (web.address() as AddressInfo).port };
    const target = { access: server.access, clientId: HOST, remote };
    const forwarder = await Forwarder.listen(target, [0]);
    const headers = { connection: "close" };
    const answer = await fetch(`http://127.0.0.1:${forwarder.port}/`, { headers });
    expect(await answer.text()).toBe("hello");
    forwarder.close();
  });

  it("says what is wrong with the file, and connects to nobody meanwhile", async () => {
    const authority = testAuthority();
    await using folder = await tempDirectory();
    const path = join(folder.path, "ca.pem");
    await using backend = await startTlsBackend({}, authority.issue());
    using editor = editorAt(backend, { path });
    await eventually(() => expect(editor.reason()).toContain("there is no such file"));
    expect(editor.reason()).toContain("rport.tls.caFile");
    expect(editor.reason()).toContain(path);
    await expect(editor.server.api.call("getStatus")).rejects.toThrow(path);
    await writeFile(path, authority.certificate);
    await eventually(() => expect(editor.server.state.kind).toBe("connected"), 30_000);
  });

  it("goes by the pinned key alone where there is one, whatever the file says", async () => {
    const authority = testAuthority();
    const certificate = authority.issue();
    await using folder = await tempDirectory();
    const path = join(folder.path, "ca.pem");
    await writeFile(path, authority.certificate);
    await using backend = await startTlsBackend({}, certificate);
    using wrong = editorAt(backend, { path }, authority.issue().pin);
    await eventually(() => expect(wrong.reason()).toContain("another TLS key"));
    await rm(path);
    using right = editorAt(backend, { path }, certificate.pin);
    await eventually(() => expect(right.server.state.kind).toBe("connected"));
  });

  it("trusts whom the computer trusts, too, and is no less strict about names and dates", async () => {
    const authority = testAuthority();
    await using folder = await tempDirectory();
    const path = join(folder.path, "ca.pem");
    await writeFile(path, authority.certificate);
    const all = await new Authorities({ setting: () => path, homeDirectory: "/nowhere" }).get();
    expect(all).toEqual(expect.arrayContaining([...getCACertificates("default")]));
    await using backend = await startTlsBackend({}, authority.issue("elsewhere.example"));
    using editor = editorAt(backend, { path });
    await eventually(() => expect(editor.reason()).toContain("for another name"));
    await expect(editor.server.api.call("getStatus")).rejects.toThrow("for another name");
  });
});
