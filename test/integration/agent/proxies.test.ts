import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../../agent/src/config/loadConfig.ts";
import {
  type AgentProgram,
  type AgentSettings,
  FROM_SOURCES,
  runCli,
  spawnAgent,
} from "../../support/agents/agent.ts";
import { type AgentServer, startAgentServer } from "../../support/agents/agentServer.ts";
import { builtAgent } from "../../support/agents/builtAgent.ts";
import {
  type ProxyLogin,
  startHttpProxy,
  startSocksProxy,
  startTlsFront,
  type TestProxy,
} from "../../support/agents/proxies.ts";
import { startPairingServer } from "../../support/backend/pairingServer.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import { tcpServer } from "../../support/wire/wireTunnel.ts";

/** A key and a certificate for localhost that only its maker signed; for tests alone. */
const PEM_FILE = fileURLToPath(
  new URL("../../fixtures/self-signed-localhost.pem", import.meta.url),
);
const LOGIN: ProxyLogin = { user: "rport", password: "p:w@1" };
/** The same in an address. */
const WRITTEN = "rport:p%3Aw%401";
/** The environment without what might lead elsewhere. */
const BARE = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/_proxy$/i.test(name)),
);

/** The same for an agent that trusts the test's certificate. */
const TRUSTING = { ...BARE, NODE_EXTRA_CA_CERTS: PEM_FILE };
/** A process starts slowly on a busy machine. */
const PATIENT = { timeout: 30_000 };
/** A name that the proxies of the tests take for this machine; nobody else can look it up. */
const HOST_NAME = "server.test";

/** A server with and without TLS, and proxies of each kind. */
interface Place extends AsyncDisposable {
  readonly server: AgentServer;
  readonly tlsPort: number;
  readonly http: TestProxy;
  readonly https: TestProxy;
  readonly socks: TestProxy;
}

async function place(): Promise<Place> {
  await using opened = new AsyncDisposableStack();
  const pem = await readFile(PEM_FILE);
  const server = opened.use(await startAgentServer());
  const front = opened.use(await startTlsFront(server.port, pem));
  const http = opened.use(await startHttpProxy(LOGIN));
  const https = opened.use(await startHttpProxy(LOGIN, pem));
  const socks = opened.use(await startSocksProxy(LOGIN));
  const closing = opened.move();
  const tlsPort = front.port;
  return {
    server,
    tlsPort,
    http,
    https,
    socks,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** Runs an agent that trusts the test's certificate until it has registered; answers its log. */
async function register(at: Place, run: AgentProgram, settings: AgentSettings): Promise<string> {
  const env = run.env ?? { ...TRUSTING, DEBUG: "*" };
  await using agent = await spawnAgent(settings, { command: run.command, env });
  const session = await Promise.race([at.server.next(), agent.ended]);
  expect(session, agent.log()).toHaveProperty("registration");
  return agent.log();
}

const AGENT_FILES = fileURLToPath(new URL("../../../dist/agent/", import.meta.url));
const BUN = fileURLToPath(new URL("../../../node_modules/@oven/bun-linux-x64", import.meta.url));

const SOURCES = { name: "from its sources", program: FROM_SOURCES };
const BUNDLE = {
  name: "as a bundle",
  program: program(process.execPath, `${AGENT_FILES}agent.cjs`),
};
const EXECUTABLE = {
  name: "as an executable",
  program: program(`${AGENT_FILES}rport-agent-linux-x64`),
};
/** Where Bun does not run, there is no executable. */
const AGENTS = existsSync(BUN) ? [SOURCES, BUNDLE, EXECUTABLE] : [SOURCES, BUNDLE];

function program(...command: [string, ...string[]]): AgentProgram {
  return { command };
}

beforeAll(async () => void (await builtAgent()), 300_000);

describe.each(AGENTS)(
  "S-09: an agent that trusts what its system trusts, $name",
  ({ program: agent }) => {
    it("connects and enrols by the system's store alone", PATIENT, async () => {
      await using at = await place();
      const env = { ...BARE, SSL_CERT_FILE: PEM_FILE };
      await register(at, { ...agent, env }, { server: `wss://localhost:${at.tlsPort}/` });
      await using pairing = await startPairingServer({
        server_urls: ["https://rport.example.org"],
      });
      const { port } = new URL(pairing.url);
      await using front = await startTlsFront(Number(port), await readFile(PEM_FILE));
      await using directory = await tempDirectory();
      const server = `https://localhost:${front.port}`;
      const file = join(directory.path, "rport.conf");
      const args = ["enroll", "--server", server, "--config", file, "--token-stdin"];
      const enrolled = await runCli(args, pairing.token, { ...agent, env });
      expect(enrolled).toMatchObject({ code: 0, stderr: "" });
    });

    it("trusts nobody whom the system does not trust", PATIENT, async () => {
      await using at = await place();
      const settings = { server: `wss://localhost:${at.tlsPort}/` };
      await using spawned = await spawnAgent(settings, { ...agent, env: BARE });
      await expect.poll(() => spawned.log(), { timeout: 20_000 }).toContain("not connected");
      expect(spawned.log()).toMatch(/self.signed|certificate/i);
    });
  },
);

describe.each(AGENTS)("an agent behind a proxy, $name", ({ program: agent }) => {
  it("gets to its server with and without TLS, and shows no password", async () => {
    await using at = await place();
    const { http, https, socks, tlsPort, server } = at;
    const tls = `wss://localhost:${tlsPort}/`;
    const tlsByAddress = `wss://127.0.0.1:${tlsPort}/`;
    const ways = [
      [server.url, `http://${WRITTEN}@127.0.0.1:${http.port}`],
      [tls, `http://${WRITTEN}@127.0.0.1:${http.port}`],
      [server.url, `https://${WRITTEN}@localhost:${https.port}`],
      [tlsByAddress, `https://${WRITTEN}@127.0.0.1:${https.port}`],
      [server.url, `socks5://${WRITTEN}@127.0.0.1:${socks.port}`],
      [tls, `socks5h://${WRITTEN}@127.0.0.1:${socks.port}`],
      [tlsByAddress, `socks://${WRITTEN}@127.0.0.1:${socks.port}`],
    ] as const;
    for (const [url, proxy] of ways) {
      const log = await register(at, agent, { server: url, client: { proxy } });
      expect(log).not.toMatch(/p:w@1|p%3Aw|cnBvcnQ6/);
    }
    const [plainTarget, tlsTarget] = [`127.0.0.1:${server.port}`, `127.0.0.1:${tlsPort}`];
    expect(http.targets).toEqual([plainTarget, `localhost:${tlsPort}`]);
    expect(https.targets).toEqual([plainTarget, tlsTarget]);
    expect(socks.targets).toEqual([plainTarget, `localhost:${tlsPort}`, tlsTarget]);
  });

  it("S-09: trusts no certificate because of it, and no name but the server's", async () => {
    await using at = await place();
    const front = { untrusted: `localhost:${at.tlsPort}`, other: `127.0.0.2:${at.tlsPort}` };
    for (const proxy of [
      `http://${WRITTEN}@127.0.0.1:${at.http.port}`,
      `socks5h://${WRITTEN}@127.0.0.1:${at.socks.port}`,
    ]) {
      const refusal = (authority: string, env: NodeJS.ProcessEnv) =>
        refused({ server: `wss://${authority}/`, client: { proxy } }, { ...agent, env });
      expect(await refusal(front.untrusted, BARE)).toMatch(/self.signed/i);
      expect(await refusal(front.other, TRUSTING)).toMatch(/127\.0\.0\.2|altname|mismatch/i);
    }
  });

  it("says what the proxy answered when that refuses", async () => {
    await using at = await place();
    const ways = [
      [`http://rport:wrong-one@127.0.0.1:${at.http.port}`, "the proxy answered 407"],
      [`http://127.0.0.1:${at.http.port}`, "the proxy answered 407"],
      [`socks5://rport:wrong-one@127.0.0.1:${at.socks.port}`, "uthentication failed"],
    ];
    for (const [proxy = "", reason] of ways) {
      const settings = { server: at.server.url, client: { proxy } };
      expect(await refused(settings, { ...agent, env: TRUSTING })).toContain(reason);
    }
  });

  it("takes the one of the environment, also to enroll", async () => {
    await using at = await place();
    await using pairing = await startPairingServer({ server_urls: ["wss://rport.example.org"] });
    await using directory = await tempDirectory();
    const proxy = `http://${WRITTEN}@127.0.0.1:${at.http.port}`;
    // A name that means this machine, and is not known to.
    const elsewhere = (url: string) => url.replace("127.0.0.1", HOST_NAME);
    const env = { ...TRUSTING, HTTP_PROXY: proxy };
    await register(at, { ...agent, env }, { server: elsewhere(at.server.url) });
    const file = join(directory.path, "rport.conf");
    const where = ["--server", elsewhere(pairing.url), "--config", file];
    const enrolled = await runCli(["enroll", ...where, "--token-stdin"], pairing.token, {
      ...agent,
      env,
    });
    expect(enrolled).toMatchObject({ code: 0, stderr: "" });
    expect(at.http.targets.map((target) => target.split(":")[0])).toEqual([HOST_NAME, HOST_NAME]);
    expect((await loadConfig(file)).proxy).toBe("");
  });

  it("is in the configuration after enrolling, for the service, whose environment is another", async () => {
    await using at = await place();
    await using pairing = await startPairingServer({
      server_urls: [at.server.url.replace("127.0.0.1", HOST_NAME)],
    });
    await using directory = await tempDirectory();
    const proxy = `http://${WRITTEN}@127.0.0.1:${at.http.port}/`;
    const file = join(directory.path, "rport.conf");
    const args = ["enroll", "--server", pairing.url, "--config", file, "--token-stdin"];
    const env = { ...TRUSTING, http_proxy: proxy };
    const enrolled = await runCli(args, pairing.token, { ...agent, env });
    expect(enrolled).toMatchObject({ code: 0, stderr: "" });
    expect((await loadConfig(file)).proxy).toBe(proxy);
    const other = proxy.replace("127.0.0.1", "127.0.0.2");
    const again = { ...TRUSTING, http_proxy: other };
    expect(await runCli(args, pairing.token, { ...agent, env: again })).toMatchObject({ code: 0 });
    expect((await loadConfig(file)).proxy).toBe(proxy);
  });

  it("can be stopped while the proxy is silent", async () => {
    for (const kind of ["http", "socks5"]) {
      const reached = Promise.withResolvers<void>();
      await using silent = await tcpServer(() => reached.resolve());
      const proxy = `${kind}://127.0.0.1:${silent.port}`;
      await using running = await spawnAgent(
        { server: "ws://192.0.2.1/", client: { proxy } },
        { ...agent, env: TRUSTING },
      );
      await reached.promise;
      running.signal("SIGTERM");
      expect(await running.ended).toBe(0);
    }
  });
});

/** Runs an agent until it says why it is not connected; answers its log. */
async function refused(settings: AgentSettings, run: AgentProgram): Promise<string> {
  await using agent = await spawnAgent(settings, run);
  await expect.poll(() => agent.log(), PATIENT).toContain("not connected");
  expect(agent.log()).not.toContain("wrong-one");
  return agent.log();
}
