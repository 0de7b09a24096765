import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect as connectPlain } from "node:net";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { endpointFileSchema } from "@rport/protocol/endpointFile";
import { proveServer } from "@rport/protocol/local/proveServer";
import { beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { startAlonePairing } from "../../../backend/src/alone/pairing.ts";
import { userCommand } from "../../../backend/src/cli/people/userCommand.ts";
import { firstPairing } from "../../../backend/src/firstPairing.ts";
import { Depositors } from "../../../backend/src/pairing/desk/depositors.ts";
import { systemClock } from "../../../backend/src/platform/clock.ts";
import { type AgentProgram, FROM_SOURCES, spawnAgent } from "../../support/agents/agent.ts";
import { BUILT_AGENTS, builtAgent } from "../../support/agents/builtAgent.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { agentOf, FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { runBackend, spawnBackend } from "../../support/backend/spawnBackend.ts";
import { eventually } from "../../support/eventually.ts";
import { testLog } from "../../support/log.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import { testCertificate, trusting, writeCertificate } from "../../support/tls/testCertificate.ts";
import { startTlsBackend, type TlsBackend } from "../../support/tls/tlsBackend.ts";
import { tcpServer } from "../../support/wire/wireTunnel.ts";

const PATIENT = { timeout: 60_000 };
const HOST = "machine-1";

/** What comes back through a tunnel until its end. */
async function through(port: number, text: string): Promise<string> {
  const socket = connectPlain(port, "127.0.0.1");
  socket.end(text);
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

function echo() {
  return tcpServer((socket) => socket.pipe(socket));
}

async function agentAt(backend: TlsBackend, program: AgentProgram) {
  const password = await makeFleet({ call: backend.api });
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, SSL_CERT_FILE: backend.certFile };
  const settings = agentOf(backend, password, HOST);
  const agent = await spawnAgent(settings, { ...program, env });
  await eventually(async () => {
    const host = await backend.api("getClient", { params: { clientId: HOST } });
    expect(host, agent.log()).toMatchObject({ connection_state: "connected" });
  }, 20_000);
  return agent;
}

beforeAll(async () => void (await builtAgent()), 300_000);

describe("S-41: a backend with a certificate of its own", () => {
  it("serves people, events, installers and the figures by TLS, and says where and for how long", async () => {
    await using backend = await startTlsBackend();
    using _ = trusting(backend.first);
    expect(backend.url).toBe(`https://127.0.0.1:${backend.port}`);
    const { pin } = backend.first;
    const certificate = { section: "server", pin, days_left: 364, self_signed: true };
    const status = await backend.api("getStatus");
    expect(status).toMatchObject({ connect_url: [backend.url], certificates: [certificate] });
    using events = backend.events();
    expect(await events.snapshot()).toMatchObject({ server: { certificates: [certificate] } });
    const metrics = await fetch(`${backend.url}/metrics`, {
      headers: { Authorization: `Bearer ${backend.token}` },
    });
    const figures = await metrics.text();
    expect(figures).toContain('rport_certificate_days_left{section="server"} 364\n');
    expect(figures).toMatch(/rport_tls_handshakes_total\{result="done"\} [1-9]/);
    const { version, files } = backend.release;
    const [file] = files;
    const part = await fetch(`${backend.url}/agent/${version}/${file?.name}`, {
      headers: { Range: "bytes=2-5" },
    });
    expect([part.status, (await part.arrayBuffer()).byteLength]).toEqual([206, 4]);
    const page = await fetch(`${backend.url}/p/${"A".repeat(16)}`);
    expect(page.status).toBe(200);
  });

  it("hands out pairings whose lines and addresses are https, as the caller reached it", async () => {
    await using backend = await startTlsBackend();
    using _ = trusting(backend.first);
    await makeFleet({ call: backend.api });
    const body = { credential_id: FLEET };
    const { commands, script_url } = await backend.api("createPairing", { body });
    expect(script_url).toMatch(new RegExp(`^${backend.url}/p/`));
    expect(commands[0]?.text).toContain(backend.url);
    const { tls, users, url, token } = backend.backend;
    const tlsPin = tls.certificateAt(users)?.pair.pin;
    expect(await firstPairing({ url, token, tlsPin })).toContain(backend.url);
  });

  it("is found and believed by programs of its machine, by the key in its endpoint file", async () => {
    await using backend = await startTlsBackend();
    const text = await readFile(join(backend.dataDir, "endpoint.json"), "utf8");
    const endpoint = endpointFileSchema.parse(JSON.parse(text));
    expect(endpoint).toMatchObject({ url: backend.url, tlsPin: backend.first.pin });
    const proven = await proveServer(endpoint);
    expect(proven.kind).toBe("proven");
    if (proven.kind === "proven") proven.connection.close();
    const other = { ...endpoint, tlsPin: testCertificate().pin };
    expect((await proveServer(other)).kind).toBe("unreachable");
    const without = { ...endpoint, tlsPin: undefined };
    expect((await proveServer(without)).kind).toBe("refused");
    const place = { input: new PassThrough(), prompts: { write: () => true } };
    const { lines } = await userCommand(["list"], () => backend.dataDir, place);
    expect(lines.join()).toContain("There are no users yet");
  });

  it("may be a pairing service apart from servers, where hosts and servers come by TLS", async () => {
    await using directory = await tempDirectory();
    const own = testCertificate();
    const files = await writeCertificate(directory.path, own);
    const tls = { kind: "files", ...files, section: "server", oldest: "TLSv1.2" } as const;
    await using service = await startAlonePairing({
      address: { host: "127.0.0.1", port: 0 },
      tls,
      trustedProxies: [],
      limits: {},
      descriptors: undefined,
      depositors: Depositors.anybody(systemClock),
      clock: systemClock,
      log: testLog().log,
    });
    using _ = trusting(own);
    expect(service.url).toMatch(/^https:/);
    const elsewhere = { url: service.url, service: "sealed", keyFile: undefined } as const;
    await using backend = await startBackend({ pairing: { ttlS: 600, elsewhere } });
    await makeFleet({ call: backend.api });
    const made = await backend.api("createPairing", { body: { credential_id: FLEET } });
    expect(made.commands[0]?.text).toContain(service.url);
    const script = await fetch(made.script_url);
    expect([script.status, await script.text()]).toEqual([200, expect.stringMatching(/^#!/)]);
    const renewed = testCertificate();
    await writeCertificate(directory.path, renewed);
    service.lookAtCertificate();
    using _renewed = trusting(renewed);
    const answer = await fetch(`${service.url}/healthz`, { headers: { Connection: "close" } });
    expect(answer.status).toBe(200);
  });

  it(
    "gives people on an address of their own the certificate that [api] names",
    PATIENT,
    async () => {
      await using directory = await tempDirectory();
      const own = testCertificate();
      const { certFile, keyFile } = await writeCertificate(directory.path, own);
      await using backend = await spawnBackend(
        join(directory.path, "data"),
        ["--api-address", "127.0.0.1:0"],
        {
          environment: {
            RPORT_API_CERT_FILE: certFile,
            RPORT_API_KEY_FILE: keyFile,
            RPORT_API_TLS_MIN: "1.3",
          },
        },
      );
      using _ = trusting(own);
      expect(backend.endpoint).toMatchObject({ tlsPin: own.pin });
      expect(backend.stdout()).toContain(`TLS key      ${own.pin}`);
      const status = await backend.api.call("getStatus");
      expect(status.connect_url[0]).toMatch(/^http:/);
      const { port } = new URL(backend.endpoint.url);
      const old = connect({ port: Number(port), rejectUnauthorized: false, maxVersion: "TLSv1.2" });
      const [error] = await once(old, "error");
      expect(String(error)).toMatch(/protocol version|alert/i);
    },
  );

  it.each([
    ["a key that others may read", 0o640, undefined, "others may read it"],
    [
      "the key of another",
      0o600,
      testCertificate().key,
      "the key is not the one of the certificate",
    ],
    ["no key", 0o600, "nothing", "there is no key in PEM"],
  ] as const)("does not start with %s, and says which setting it is", async (...row) => {
    const [, mode, key, sentence] = row;
    await using directory = await tempDirectory();
    const good = testCertificate();
    const { certFile, keyFile } = await writeCertificate(directory.path, {
      certificate: good.certificate,
      key: key ?? good.key,
    });
    await promisify(execFile)("chmod", [mode.toString(8), keyFile]);
    const { code, stderr } = await runBackend(
      ["--data-dir", join(directory.path, "data"), "--port", "0"],
      {
        RPORT_SERVER_CERT_FILE: certFile,
        RPORT_SERVER_KEY_FILE: keyFile,
      },
    );
    expect([code, stderr]).toEqual([2, expect.stringContaining(sentence)]);
    expect(stderr).toMatch(/server\.(key|cert)_file/);
    expect(stderr).not.toContain("BEGIN");
  });
});

describe.each([{ name: "from its sources", program: FROM_SOURCES }, ...BUILT_AGENTS])(
  "S-41: an agent at a backend that speaks TLS, $name",
  ({ program }) => {
    it("carries tunnels of the server and of editors", PATIENT, async () => {
      await using backend = await startTlsBackend();
      using _ = trusting(backend.first);
      await using target = await echo();
      await using _agent = await agentAt(backend, program);
      const params = { clientId: HOST };
      const query = { remote: String(target.port) };
      const tunnel = await backend.api("createTunnel", { params, query });
      const text = "x".repeat(300_000);
      expect(await through(Number(tunnel.lport), text)).toBe(text);
      const dial = new URLSearchParams({
        client_id: HOST,
        host: "127.0.0.1",
        port: `${target.port}`,
      });
      const socket = new WebSocket(
        `${backend.url.replace("https", "wss")}/api/v1/ws/dial?${dial}`,
        {
          headers: { Authorization: `Bearer ${backend.token}` },
        },
      );
      await once(socket, "open");
      const answered = once(socket, "message");
      socket.send(Buffer.from("hello"));
      expect(String((await answered)[0])).toBe("hello");
      socket.terminate();
    });
  },
);
