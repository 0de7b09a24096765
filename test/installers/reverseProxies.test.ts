import { once } from "node:events";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Place } from "../../backend/src/place.ts";
import type { ReadyAccess } from "../../extension/src/api/access.ts";
import { Api } from "../../extension/src/api/http.ts";
import { readScript } from "../../extension/src/install/script.ts";
import { baseUrlOf } from "../../extension/src/servers/config.ts";
import { Forwarder } from "../../extension/src/tunnels/forwarder.ts";
import { runCli, startAgent, startEnrolledAgent } from "../support/agents/agent.ts";
import {
  type ProxySite,
  startWebProxy,
  WEB_PROXIES,
  type WebProxy,
} from "../support/agents/webProxies.ts";
import {
  type RunningBackend,
  type StartOptions,
  startBackend,
} from "../support/backend/backend.ts";
import { agentOf, makeFleet } from "../support/backend/fleet.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/freePort.ts";
import { isThere } from "../support/installer/runInstaller.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import { tcpServer } from "../support/wire/wireTunnel.ts";
import { serverOn } from "../unit/extension/serverFixture.ts";

const NAME = "rport.example.test";
const PROXIES = Object.keys(WEB_PROXIES) as WebProxy[];

function isMissing(proxy: WebProxy): boolean {
  const missing = !isThere([proxy]) && !isThere([`/usr/sbin/${proxy}`]);
  if (missing && process.env.CI === "true") throw new Error(`CI has to have ${proxy}`);
  return missing;
}

/** A backend on 127.0.0.1 behind a real reverse proxy; `options` from the proxy's port. */
async function behind(
  proxy: WebProxy,
  options: (port: number) => StartOptions,
  site: Partial<ProxySite> = {},
) {
  await using opened = new AsyncDisposableStack();
  const port = await freePort();
  const backend = opened.use(await startBackend(options(port)));
  const plain = { port, backend: backend.port, path: "/", isTls: false };
  opened.use(await startWebProxy(proxy, { ...plain, ...site }));
  const closing = opened.move();
  return { backend, port, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

interface Asked {
  readonly method?: string;
  readonly host: string;
  readonly isTls?: boolean;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Asks through the proxy, under a name that nobody can look up. */
async function ask(
  { backend, port }: { readonly backend: RunningBackend; readonly port: number },
  path: string,
  { method = "GET", host, isTls = false, body, headers = {} }: Asked,
) {
  const request = (isTls ? requestHttps : requestHttp)({
    host: "127.0.0.1",
    servername: "localhost",
    rejectUnauthorized: false,
    port,
    path,
    method,
    headers: {
      ...headers,
      host,
      authorization: `Bearer ${backend.token}`,
      "content-type": "application/json",
    },
  });
  request.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = await once(request, "response");
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  return { status: response.statusCode as number, text };
}

/** Not in local mode. */
const places: readonly Place[] = [
  { host: "0.0.0.0", port: 0, faces: new Set(["agents", "users", "pairing"]) },
];
const TRUSTED = { trustedProxies: ["127.0.0.1"] };

describe.each(PROXIES)("C-35 behind %s on the same machine", (proxy) => {
  test("people get in under the name in [server] url, and under no other", async (ctx) => {
    ctx.skip(isMissing(proxy), `${proxy} is not installed`);
    await using scene = await behind(proxy, () => ({
      ...TRUSTED,
      serverUrls: [`https://${NAME}/`],
    }));
    const host = `${NAME}:${scene.port}`;
    expect(await ask(scene, "/api/v1/status", { host })).toMatchObject({ status: 200 });
    const refused = await ask(scene, "/api/v1/status", { host: "evil.example" });
    expect(refused.status).toBe(403);
    expect(refused.text).toContain("[server] url");
    const foreign = { host, headers: { origin: "https://evil.example" } };
    expect(await ask(scene, "/api/v1/status", foreign)).toMatchObject({ status: 403 });
    await makeFleet({ call: scene.backend.api });
    const body = { credential_id: "fleet" };
    const { text } = await ask(scene, "/api/v1/pairings", { method: "POST", host, body });
    const { pathname } = new URL(JSON.parse(text).data.script_url);
    expect(await ask(scene, pathname, { host })).toMatchObject({ status: 200 });
  });

  test("that ends TLS, the pasted line has https and the name that was asked", async (ctx) => {
    ctx.skip(isMissing(proxy), `${proxy} is not installed`);
    await using scene = await behind(proxy, () => ({ ...TRUSTED, places }), { isTls: true });
    const host = `localhost:${scene.port}`;
    const origin = `https://${host}`;
    const about = { host, isTls: true };
    const status = await ask(scene, "/api/v1/status", about);
    expect(JSON.parse(status.text).data).toMatchObject({
      connect_url: [origin],
      pairing_url: origin,
    });
    await makeFleet({ call: scene.backend.api });
    const body = { credential_id: "fleet" };
    const made = await ask(scene, "/api/v1/pairings", { ...about, method: "POST", body });
    const { server_url: url, commands } = JSON.parse(made.text).data;
    expect(url).toBe(origin);
    expect(commands[0].text).toContain(`--server '${origin}'`);
  });

  test("that is not trusted, what it says of the address is ignored", async (ctx) => {
    ctx.skip(isMissing(proxy), `${proxy} is not installed`);
    await using scene = await behind(proxy, () => ({ places }), { isTls: true });
    const host = `localhost:${scene.port}`;
    const { text } = await ask(scene, "/api/v1/status", { host, isTls: true });
    expect(JSON.parse(text).data.connect_url).toEqual([`http://${host}`]);
  });

  test.for(["", "/"])(
    "below a path, with %j at its end: lines, script, agents, events and tunnels work",
    async (end, ctx) => {
      ctx.skip(isMissing(proxy), `${proxy} is not installed`);
      const urlAt = (port: number) => `http://localhost:${port}/rport${end}`;
      const options = (port: number) => ({ ...TRUSTED, serverUrls: [urlAt(port)] });
      await using scene = await behind(proxy, options, { path: "/rport/" });
      await everythingWorks(scene.backend, baseUrlOf(urlAt(scene.port)) ?? "");
      const { backend, port } = scene;
      const password = await makeFleet({ call: backend.api });
      const settings = agentOf({ ...backend, url: urlAt(port) }, password, "by-hand");
      await using agent = await startAgent(settings);
      await agent.online();
    },
  );
});

/** What an editor does with a server at this base URL, and what comes of its line. */
async function everythingWorks(backend: RunningBackend, url: string): Promise<void> {
  const access: ReadyAccess = { kind: "ready", url, authorization: `Bearer ${backend.token}` };
  using editor = serverOn({ url }, { access: async () => access });
  const api = new Api({ access: async () => access, fetch });
  editor.server.connect();
  await eventually(() => expect(editor.server.state.kind).toBe("connected"));
  const [credential] = await api.call("listCredentials");
  const body = { credential_id: credential?.id ?? "" };
  const created = await api.call("createPairing", { body });
  expect(created.server_url).toBe(url);
  expect(await readScript(api, created)).toContain("#!");
  const { version, files } = backend.release;
  const file = await fetch(`${url}/agent/${version}/${files[0]?.name}`);
  expect(file.status).toBe(200);

  await using temp = await tempDirectory();
  const config = join(temp.path, "rport.conf");
  const args = ["enroll", "--server", created.server_url, "--config", config, "--token-stdin"];
  const enrolled = await runCli([...args, "--data-dir", temp.path], created.token);
  expect(enrolled).toMatchObject({ code: 0, stderr: "" });
  await using agent = await startEnrolledAgent(config);
  await agent.online();
  const client = await eventually(() => {
    const [first] = editor.server.mirror.maps.clients.values();
    if (first?.connection_state !== "connected") throw new Error("no client yet");
    return first;
  });

  await using echo = await tcpServer((socket) => socket.pipe(socket));
  const remote = { host: "127.0.0.1", port: echo.port };
  const target = { access: async () => access, clientId: client.id, remote };
  const tunnel = await Forwarder.listen(target, [0]);
  const socket = connect(tunnel.port, "127.0.0.1");
  socket.write("through the path");
  const [answer] = await once(socket, "data");
  expect(String(answer)).toBe("through the path");
  socket.destroy();
  tunnel.close();
}
