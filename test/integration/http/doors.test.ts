import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { head, rawHttp, upgradeHead } from "../../support/faults/rawHttp.ts";

let backend: RunningBackend;
let host: string;
let bearer: string;
const JSON_TYPE = "Content-Type: application/json";

/** Members that no request has. */
const manyMembers = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`member-${n}`, ""]));
const CREDENTIALS = "/api/v1/clients-auth";

beforeAll(async () => {
  backend = await startBackend();
  host = `Host: 127.0.0.1:${backend.port}`;
  bearer = `Authorization: Bearer ${backend.token}`;
});
afterAll(() => backend[Symbol.asyncDispose]());

const get = (target: string, headers: readonly string[] = [host, bearer]) =>
  rawHttp(backend.port, head(`GET ${target}`, headers));

const post = (body: string, headers: readonly string[] = [host, bearer, JSON_TYPE]) =>
  rawHttp(
    backend.port,
    head(`POST ${CREDENTIALS}`, [...headers, `Content-Length: ${Buffer.byteLength(body)}`]) + body,
  );

async function credentialIds(): Promise<string[]> {
  const credentials = await backend.api("listCredentials");
  return credentials.map((credential) => credential.id);
}

describe("C-23, S-11 a page whose name was rebound to this machine", () => {
  it.each([
    "evil.example",
    "evil.example:80",
    "127.0.0.1",
    "127.0.0.1:1",
    "localhost.:{port}",
    "127.1:{port}",
    "0.0.0.0:{port}",
    "2130706433:{port}",
    "[::ffff:127.0.0.1]:{port}",
    "evil@127.0.0.1:{port}",
    "127.0.0.1:{port}.evil.example",
    "",
  ])("gets nothing with Host: %s, whatever it asks", async (form) => {
    const named = `Host: ${form.replace("{port}", String(backend.port))}`;
    const api = await get("/api/v1/status", [named, bearer]);
    const script = await get("/p/0000000000000000", [named]);
    const events = await rawHttp(backend.port, upgradeHead("/api/v1/events", [named, bearer]));
    expect([api.status, script.status, events.status]).toEqual([403, 403, 403]);
    expect(api.text).not.toContain(backend.fingerprint);
  });

  it("gets nothing with two Hosts, or with another server in the target", async () => {
    const two = await get("/api/v1/status", [host, "Host: evil.example", bearer]);
    const absolute = await get("http://evil.example/api/v1/status");
    expect(two.status).toBe(403);
    expect(absolute.status).toBe(400);
  });

  it.each(["127.0.0.1", "localhost", "[::1]", "LOCALHOST"])("does not stop %s", async (name) => {
    const answer = await get("/api/v1/status", [`Host: ${name}:${backend.port}`, bearer]);
    expect(answer.status).toBe(200);
  });
});

describe("S-12 a request that a web page can make", () => {
  const body = '{"id":"made-by-a-page"}';

  it.each([
    ["a form", "Content-Type: application/x-www-form-urlencoded", 415],
    ["JSON that says it is text", "Content-Type: text/plain", 415],
    ["JSON without a type", "X-Nothing: 1", 415],
    ["a multipart form", "Content-Type: multipart/form-data; boundary=x", 415],
    ["a foreign page", `${JSON_TYPE}\r\nOrigin: http://evil.example`, 403],
    ["a sandboxed page", `${JSON_TYPE}\r\nOrigin: null`, 403],
    ["a cross-site fetch", `${JSON_TYPE}\r\nSec-Fetch-Site: cross-site`, 403],
  ])("changes nothing as %s", async (_name, header, status) => {
    const before = await credentialIds();
    const answer = await post(body, [host, bearer, header]);
    expect(answer.status).toBe(status);
    expect(await credentialIds()).toEqual(before);
  });

  it("gets no leave to read answers, neither by preflight nor by reflection", async () => {
    const preflight = await rawHttp(
      backend.port,
      head("OPTIONS /api/v1/status", [
        host,
        "Origin: http://evil.example",
        "Access-Control-Request-Method: GET",
        "Access-Control-Request-Headers: authorization",
      ]),
    );
    const own = await get("/api/v1/status");
    expect(preflight.status).toBe(403);
    for (const { text } of [preflight, own]) {
      expect(text).not.toMatch(/access-control-|set-cookie/i);
    }
  });
});

describe("C-06, S-13 a WebSocket", () => {
  it.each(["http://evil.example", "null", "http://localhost:1", "vscode-webview://x"])(
    "is not opened for a page of %s",
    async (origin) => {
      for (const path of ["/api/v1/events", "/api/v1/ws/dial?client_id=a&host=b&port=1"]) {
        const answer = await rawHttp(
          backend.port,
          upgradeHead(path, [host, bearer, `Origin: ${origin}`]),
        );
        expect(answer.status).toBe(403);
      }
    },
  );

  it("C-21: is not opened without a token, and takes it as RPort does", async () => {
    const open = (target: string, headers: readonly string[]) =>
      rawHttp(backend.port, upgradeHead(target, [host, ...headers]));
    const basic = Buffer.from(`admin:${backend.token}`).toString("base64");
    expect((await open("/api/v1/events", [])).status).toBe(401);
    expect((await open("/api/v1/events?access_token=wrong", [])).status).toBe(401);
    expect((await open("/api/v1/events", [`Authorization: Basic ${basic}`])).status).toBe(101);
    expect((await open(`/api/v1/events?access_token=${backend.token}`, [])).status).toBe(101);
    expect(backend.logLines.join("\n")).not.toContain(backend.token);
  });

  it("is not found on any other path", async () => {
    const answer = await rawHttp(backend.port, upgradeHead("/api/v1/other", [host, bearer]));
    expect(answer.status).toBe(404);
  });

  it("does not make its token good for REST", async () => {
    const answer = await get(`/api/v1/status?access_token=${backend.token}`, [host]);
    expect(answer.status).toBe(401);
  });
});

describe("a request's body", () => {
  it.each([
    ["empty", "", /^400 .*no body/],
    ["cut off", '{"id":"abc', /^400 .*not valid JSON/],
    ["not UTF-8 text", "\ud800", /^400 ./],
    ["an array", "[]", /^400 ./],
    ["null", "null", /^400 ./],
    ["with an unknown member", '{"id":"abcd","colour":1}', /^400 .*colour/],
    ["with __proto__", '{"id":"abcd","__proto__":{"kind":"host"}}', /^400 .*__proto__/],
    ["with a deep __proto__", '{"id":"abcd","limits":{"__proto__":1}}', /^400 .*__proto__/],
    ["with a wrong type", '{"id":7}', /^400 .*id: /],
    ["too short an id", '{"id":"ab"}', /^400 .*3 characters/],
    ["nested without end", `{"id":${"[".repeat(30_000)}`, /^400 ./],
    ["nested deep", `{"id":${"[".repeat(50)}${"]".repeat(50)}}`, /^400 .*too deep/],
    ["larger than 64 KiB", `{"id":"${"x".repeat(70_000)}"}`, /^413 .*65536/],
    ["of more members than any has", `{"id":[${"0,".repeat(10_000)}0]}`, /^400 .*too many members/],
  ])("S-31 is refused when it is %s", async (_name, body, outcome) => {
    const before = await credentialIds();
    const answer = await post(body);
    expect(`${answer.status} ${answer.text.split("\r\n\r\n")[1]}`).toMatch(outcome);
    expect(answer.text).toMatch(/"errors":\[\{"code":"[A-Z_]+","title":".+","detail":/);
    expect(await credentialIds()).toEqual(before);
  });

  it.each([
    {
      what: "larger than 16 KiB",
      body: `{"username":"${"x".repeat(16_400)}"}`,
      why: /^413 .*16384/,
    },
    { what: "of more members", body: JSON.stringify(manyMembers(33)), why: /^400 .*many members/ },
    {
      what: "of more fields",
      type: "Content-Type: application/x-www-form-urlencoded",
      body: Object.keys(manyMembers(33)).join("&"),
      why: /^400 .*many fields/,
    },
  ])("where no token is needed, is refused when it is $what", async (given) => {
    const { type = JSON_TYPE, body, why } = given;
    const headers = [host, type, `Content-Length: ${Buffer.byteLength(body)}`];
    const answer = await rawHttp(backend.port, head("POST /api/v1/login", headers) + body);
    expect(`${answer.status} ${answer.text.split("\r\n\r\n")[1]}`).toMatch(why);
  });

  it.each([
    ["larger than 16 KiB", `{"display_name":"${"x".repeat(16_400)}"}`, /^413 .*16384/],
    ["of more members", JSON.stringify(manyMembers(33)), /^400 .*many members/],
    // Whether it is JSON is not asked first: that would cost as much as all of it.
    ["of more members, and no JSON", `{${"x,".repeat(33)}`, /^400 .*many members/],
    ["of more objects", '{"a":'.repeat(34), /^400 .*(too deep|many members)/],
    ["with commas in a text alone", `{"nothing":"${',[{\\"'.repeat(100)}"}`, /^400 .*nothing/],
  ])(
    "of anybody but an administrator's endpoint, is refused when it is %s",
    async (_what, body, why) => {
      const headers = [host, bearer, JSON_TYPE, `Content-Length: ${Buffer.byteLength(body)}`];
      const answer = await rawHttp(backend.port, head("PUT /api/v1/me", headers) + body);
      expect(`${answer.status} ${answer.text.split("\r\n\r\n")[1]}`).toMatch(why);
    },
  );

  it("is not repeated in the answer, member for member", async () => {
    const answer = await post(JSON.stringify({ id: "abcd", ...manyMembers(3_000) }));
    expect(answer.status).toBe(400);
    expect(answer.text.length).toBeLessThan(1_500);
  });

  it("is refused as soon as it is too large, without its length being announced", async () => {
    const chunk = `${(0x20000).toString(16)}\r\n${"x".repeat(0x20000)}\r\n`;
    const headers = [host, bearer, JSON_TYPE, "Transfer-Encoding: chunked"];
    const answer = await rawHttp(backend.port, head(`POST ${CREDENTIALS}`, headers) + chunk);
    expect(answer.status).toBe(413);
  });

  it("S-23 is never repeated: neither in the answer nor in the log", async () => {
    const canary = "canary-value-of-a-password";
    const bodies = [
      `{"id":"abcd","password":{"${canary}":1}}`,
      `{"id":"abcd","password":["${canary}"]}`,
      `{"id":"abcd","password":"${canary}","kind":"${canary}"}`,
      `{"id":"abcd","password":"${canary}"`,
      `{"id":"ab","password":"${canary}"}`,
    ];
    for (const body of bodies) {
      const answer = await post(body);
      expect(answer.status).toBe(400);
      expect(answer.text).not.toContain(canary);
    }
    expect(backend.logLines.join("\n")).not.toContain(canary);
  });
});

describe("every answer", () => {
  it("carries a request id that the log has too, and headers that keep it private", async () => {
    const { text } = await get("/api/v1/nothing?secret=canary-in-a-query");
    const id = /X-Request-Id: (\S+)/.exec(text)?.[1];
    expect(text).toMatch(/HTTP\/1.1 404.*Cache-Control: no-store.*"code":"NOT_FOUND"/s);
    expect(text).toMatch(/X-Content-Type-Options: nosniff/);
    expect(text).toMatch(/Referrer-Policy: no-referrer/);
    expect(text).toMatch(/frame-ancestors 'none'/);
    const line = await backend.logged((entry) => entry.includes(String(id)));
    expect(line).toContain('"path":"/api/v1/nothing"');
    expect(line).not.toContain("canary");
  });

  it("to a wrong method says which ones there are", async () => {
    const answer = await rawHttp(backend.port, head("PATCH /api/v1/clients-auth", [host, bearer]));
    expect(answer.status).toBe(405);
    expect(answer.text).toMatch(/Allow: GET, POST/);
  });

  it.each(["/api/v1/clients/%zz", "/api/v1/clients/%ff", "/api/v1/clients-auth/%00abc"])(
    "to the impossible path %s is 400",
    async (path) => {
      expect((await get(path)).status).toBe(400);
    },
  );
});

describe("whoever guesses tokens", () => {
  it("has to wait after ten tries, while a valid token goes on working", async () => {
    await using own = await startBackend();
    const local = `Host: 127.0.0.1:${own.port}`;
    const ask = (token: string) =>
      rawHttp(own.port, head("GET /api/v1/status", [local, `Authorization: Bearer ${token}`]));
    const statuses: number[] = [];
    for (let n = 0; n < 12; n++) statuses.push((await ask("wrong")).status);
    expect(statuses).toEqual([...Array(10).fill(401), 429, 429]);
    expect((await ask("wrong")).text).toMatch(/Retry-After: \d+/);
    expect((await ask(own.token)).status).toBe(200);
  });
});

describe("a connection that is slow on purpose", () => {
  it.each([
    ["its headers", "GET /api/v1/status HTTP/1.1\r\nHost: "],
    ["its upgrade", "GET /api/v1/events HTTP/1.1\r\nUpgrade: websocket\r\n"],
  ])("F-14 is closed when %s do not end within seconds", async (_name, beginning) => {
    const start = performance.now();
    const answer = await rawHttp(backend.port, beginning);
    expect(answer.status).toBe(408);
    expect(performance.now() - start).toBeLessThan(9_000);
  });

  it("C-15, F-14 cannot send endless headers", async () => {
    const filler = Array.from({ length: 300 }, (_, n) => `X-${n}: ${"y".repeat(80)}`);
    expect((await get("/api/v1/status", [host, bearer, ...filler])).status).toBe(431);
  });
});
