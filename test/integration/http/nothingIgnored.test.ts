import { type EventEmitter, once } from "node:events";
import {
  API_PREFIX,
  DIAL_PATH,
  ENDPOINTS,
  type EndpointName,
  EVENTS_PATH,
  pathOf,
} from "@rport/protocol/http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { ENDPOINT_PARAMS } from "../../support/backend/endpointParams.ts";

let backend: RunningBackend;
let password: string;
beforeAll(async () => {
  backend = await startBackend();
  ({ password } = await backend.api("createCredential", { body: { id: "hosts" } }));
  await (await join())[Symbol.asyncDispose]();
});
afterAll(() => backend[Symbol.asyncDispose]());

async function join(): Promise<PeerAgent> {
  const url = backend.url.replace("http", "ws");
  return await PeerAgent.join({ url, user: "hosts", password });
}

const NAMES = Object.keys(ENDPOINTS) as EndpointName[];
const parameters = { ...ENDPOINT_PARAMS, clientId: "machine-1" };

describe("a tunnel that is asked for", () => {
  const PROXY = "creation of tunnel proxy not enabled";
  const HOST = "host_header not allowed when http_proxy is false";
  const AUTH =
    "http basic authentication requires http_proxy to be activated on the requested tunnel";

  it("behind a proxy or a password is refused in RPort's words, never opened without", async () => {
    await using _agent = await join();
    const put = (query: Record<string, string>) =>
      backend.raw("PUT", "/clients/machine-1/tunnels", { query: { remote: "9", ...query } });
    const login = { auth_user: "bob", auth_password: "secret-password" };
    for (const [query, title] of [
      [{ http_proxy: "true" }, PROXY],
      [{ http_proxy: "1", scheme: "http", ...login }, PROXY],
      [{ host_header: "intranet" }, HOST],
      [{ http_proxy: "false", host_header: "intranet" }, HOST],
      [login, AUTH],
      [{ auth_user: "bob" }, AUTH],
      [{ auth_password: "secret-password" }, AUTH],
      [{ allow_from: "192.0.2.1" }, 'Unknown here: the parameter "allow_from".'],
    ] as const) {
      const { status, body } = await put(query);
      expect({ query, status, body }).toMatchObject({ status: 400, body: { errors: [{ title }] } });
      expect(JSON.stringify(body)).not.toContain("secret-password");
    }
    expect(await backend.api("listTunnels")).toEqual([]);
    const plain = { http_proxy: "false", host_header: "", auth_user: "", auth_password: "" };
    expect(await put(plain)).toMatchObject({ status: 200, body: { data: { http_proxy: false } } });
  });

  it("with what would restrict it in a body is refused", async () => {
    const body = { acl: "192.0.2.1" };
    const answer = await backend.raw("PUT", "/clients/c/tunnels", { query: { remote: "9" }, body });
    expect(answer).toMatchObject({ status: 400 });
    expect(JSON.stringify(answer.body)).toContain("takes no body");
  });
});

describe("what nobody asked for", () => {
  it.each(NAMES)("is refused as a parameter of %s", async (name) => {
    const { method, body: schema } = ENDPOINTS[name];
    const path = pathOf(name, parameters).slice(API_PREFIX.length);
    const body = schema === undefined ? {} : { body: {} };
    const answer = await backend.raw(method, path, { query: { colour: "red" }, ...body });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toContain('\\"colour\\"');
  });

  it.each(NAMES)("is refused as a member of what %s is sent", async (name) => {
    const { method, path: written } = ENDPOINTS[name];
    if (method === "GET") return;
    const path = pathOf(name, parameters).slice(API_PREFIX.length);
    const answer = await backend.raw(method, path, { body: { colour: "red" } });
    expect([written, answer.status]).toEqual([written, 400]);
  });

  it("may be an empty object, which some programs always send", async () => {
    const answer = await backend.raw("DELETE", "/refusals", { body: {} });
    expect(answer.status).toBe(204);
  });

  it.each([EVENTS_PATH, DIAL_PATH])("is refused as a parameter of the socket %s", async (path) => {
    const url = `${backend.url.replace("http", "ws")}${path}?colour=red`;
    const socket = new WebSocket(url, { headers: { Authorization: `Bearer ${backend.token}` } });
    const [, answer] = await once(socket as EventEmitter, "unexpected-response");
    expect(answer.statusCode).toBe(400);
    answer.destroy();
  });
});
