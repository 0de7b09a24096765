import type { EndpointName } from "@rport/protocol/http";
import { API_PREFIX, DIAL_PATH, ENDPOINTS, EVENTS_PATH, pathOf } from "@rport/protocol/http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { ENDPOINT_PARAMS } from "../../support/backend/endpointParams.ts";
import { head, type RawAnswer, rawHttp, upgradeHead } from "../../support/faults/rawHttp.ts";

let backend: RunningBackend;
let revoked: string;
let callers = 0;
beforeAll(async () => {
  backend = await startBackend();
  const { tokens } = backend.backend;
  const made = tokens.issue("former");
  tokens.revoke(made.tokenId);
  revoked = made.token;
});
afterAll(() => backend[Symbol.asyncDispose]());

/** An address of this machine that nobody has called from yet, and so has no wrong tokens. */
function freshAddress(): string {
  callers += 1;
  return `127.${1 + (callers >> 16)}.${(callers >> 8) & 255}.${callers & 255}`;
}

/** Signing in is for those who have no token yet: `signIn.test.ts` is about it. */
const ROUTES = (Object.keys(ENDPOINTS) as EndpointName[])
  .filter((name) => ENDPOINTS[name].right !== "nobody")
  .map((name) => ({ method: ENDPOINTS[name].method, path: pathOf(name, ENDPOINT_PARAMS) }));
const PATHS = [...new Set(ROUTES.map(({ path }) => path)), EVENTS_PATH, DIAL_PATH];

/** Every way to show no token, or a wrong one, as headers and query. */
function unsigned(): readonly (readonly [string, readonly string[], string])[] {
  const { token } = backend;
  const basic = (text: string) => `Authorization: Basic ${Buffer.from(text).toString("base64")}`;
  return [
    ["nothing", [], ""],
    ["an empty one", ["Authorization: Bearer "], ""],
    ["another one", [`Authorization: Bearer ${"A".repeat(token.length)}`], ""],
    ["a revoked one", [`Authorization: Bearer ${revoked}`], ""],
    ["one cut short", [`Authorization: Bearer ${token.slice(0, -1)}`], ""],
    ["one with more behind it", [`Authorization: Bearer ${token}A`], ""],
    ["the right one under another scheme", [`Authorization: Token ${token}`], ""],
    ["the right one without a scheme", [`Authorization: ${token}`], ""],
    ["the right one as the name", [basic(`${token}:`)], ""],
    ["a wrong password", [basic("admin:password")], ""],
    ["the right one elsewhere", [`Cookie: token=${token}`, `X-Api-Key: ${token}`], ""],
    ["the right one for a proxy", [`Proxy-Authorization: Bearer ${token}`], ""],
    ["a wrong one in the query", [], "?access_token=wrong"],
  ];
}

function ask(method: string, target: string, headers: readonly string[]): Promise<RawAnswer> {
  const host = `Host: 127.0.0.1:${backend.port}`;
  return rawHttp(backend.port, head(`${method} ${target}`, [host, ...headers]), freshAddress());
}

function askToUpgrade(target: string, headers: readonly string[]): Promise<RawAnswer> {
  const host = `Host: 127.0.0.1:${backend.port}`;
  return rawHttp(backend.port, upgradeHead(target, [host, ...headers]), freshAddress());
}

describe("C-21 every path of the users' face", () => {
  it.each(PATHS)("asks for the token, as GET, POST and Upgrade: %s", async (path) => {
    for (const [what, headers, query] of unsigned()) {
      const target = `${path}${query}`;
      const answers = await Promise.all([
        ask("GET", target, headers),
        ask("POST", target, headers),
        askToUpgrade(target, headers),
      ]);
      expect([what, ...answers.map(({ status }) => status)]).toEqual([what, 401, 401, 401]);
    }
  });

  it("asks for the token with each method of the table, and a token in the query is none", async () => {
    for (const { method, path } of ROUTES) {
      const plain = await ask(method, path, []);
      const inQuery = await ask(method, `${path}?access_token=${backend.token}`, []);
      expect([method, path, plain.status, inQuery.status]).toEqual([method, path, 401, 401]);
    }
    const { connections: _connections, ...status } = await backend.api("getStatus");
    expect(status.clients_connected).toBe(0);
  });
});

/** Other ways to write a path, of which some mean the same to careless programs. */
function spellings(path: string): readonly string[] {
  const rest = path.slice(API_PREFIX.length);
  return [
    `${path}/`,
    `${path}//`,
    `/${path}`,
    `/.${path}`,
    `/x/..${path}`,
    `/x/..;${path}`,
    `${path}/..`,
    `${path}/x/..`,
    `${path};x=1`,
    `${path}%00`,
    `${path}%20`,
    `${path}.json`,
    `${path}%2f`,
    `${path}\\`,
    path.replaceAll("/", "\\"),
    path.replaceAll("/", "//"),
    path.replace("/api/", "/API/"),
    path.replace("/api/", "/Api/"),
    path.replace("/v1", "/V1"),
    path.replace("/api", "/%61pi"),
    path.replace("/api/", "/api%2f"),
    path.replace("/api/", "/api/./"),
    path.replace("/v1/", "/v1/../v1/"),
    path.replace("/api/", "/api;x/"),
    `/api/v01${rest}`,
    path.toUpperCase(),
    `http://127.0.0.1:${backend.port}${path}`,
    `//127.0.0.1:${backend.port}${path}`,
    `*${path}`,
    path.slice(1),
  ];
}

const bearer = () => [`Authorization: Bearer ${backend.token}`];

describe("C-22 an odd spelling", () => {
  it.each(PATHS)("of %s reaches nothing without a token, by any method", async (path) => {
    for (const spelling of spellings(path)) {
      const answers = await Promise.all([
        ask("GET", spelling, []),
        ask("POST", spelling, []),
        askToUpgrade(spelling, []),
      ]);
      for (const { status } of answers) {
        expect([spelling, status]).toEqual([spelling, expect.toBeOneOf([400, 401, 403, 404])]);
      }
    }
  });

  it.each(PATHS)("of %s is not what its plain spelling is, with a token either", async (path) => {
    const plain = await ask("GET", path, bearer());
    for (const spelling of spellings(path).filter((one) => !one.startsWith("/api/"))) {
      const answers = await Promise.all([
        ask("GET", spelling, bearer()),
        askToUpgrade(spelling, bearer()),
      ]);
      for (const { status } of answers) {
        expect([spelling, status]).toEqual([spelling, expect.toBeOneOf([400, 403, 404])]);
      }
    }
    expect(plain.status).not.toBe(401);
  });

  it("of what installers fetch is nothing", async () => {
    const { version, files } = backend.release;
    const paths = [`/p/${"A".repeat(16)}`, `/agent/${version}/${files[0]?.name}`];
    for (const path of paths) {
      expect((await ask("GET", path, [])).status).toBe(200);
      const odd = [`${path}/`, `/${path}`, `/.${path}`, `${path};x`, path.replace("/", "/x/../")];
      for (const spelling of odd) {
        expect([spelling, (await ask("GET", spelling, [])).status]).toEqual([spelling, 404]);
      }
    }
  });
});

describe("C-19 no path", () => {
  it.each([...PATHS, "/", "/p/x", "/agent/1/x"])(
    "redirects, whatever it is asked: %s",
    async (path) => {
      const wishes = [
        path,
        `/${path}`,
        `${path}/`,
        `//evil.example${path}`,
        `/\\evil.example${path}`,
        `${path}?next=//evil.example&url=http://evil.example&redirect_uri=http://evil.example`,
        `${path}/%0d%0aLocation:%20http://evil.example`,
      ];
      const says = ["X-Forwarded-Host: evil.example", "X-Original-URL: //evil.example"];
      for (const wish of wishes) {
        const { status, text } = await ask("GET", wish, [...bearer(), ...says]);
        expect([wish, status]).toEqual([wish, expect.not.toSatisfy(isRedirect)]);
        expect(text).not.toMatch(/^(location|refresh):/im);
      }
    },
  );

  it.each(PATHS)("is held up by 100 kB of path, query or filter: %s", async (path) => {
    const long = "a-*%25".repeat(17_000);
    const within = "*a".repeat(6_000);
    const targets = [
      `${path}/${long}`,
      `${path}?filter[id]=${long}`,
      `${path}/${within}`,
      `${path}?filter[id]=${within}`,
      `${path}?sort=${within}`,
      `${path}?${"a=1&".repeat(3_000)}`,
      `${path}?filter[id][${"x][".repeat(4_000)}]=1`,
      `${path}${"/".repeat(12_000)}`,
    ];
    for (const target of targets) {
      const answers = await Promise.all([ask("GET", target, bearer()), askToUpgrade(target, [])]);
      for (const { status } of answers) {
        expect([target.slice(0, 60), status]).toEqual([
          target.slice(0, 60),
          expect.toSatisfy(isCalm),
        ]);
      }
    }
  });
});

const isRedirect = (status: number): boolean => status >= 300 && status < 400;
/** Served, or refused in words. */
const isCalm = (status: number): boolean => status >= 200 && status < 500;
