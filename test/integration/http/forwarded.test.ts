import { describe, expect, it } from "vitest";
import { startAgent } from "../../support/agents/agent.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { agentOf, makeFleet } from "../../support/backend/fleet.ts";
import { eventually } from "../../support/eventually.ts";
import { head, rawHttp, upgradeHead } from "../../support/faults/rawHttp.ts";

const PROXY = "127.0.0.1";
const CALLER = "203.0.113.7";
const FORGED = "198.51.100.66";
/** Well-formed, and nobody's. */
const CLAIM = {
  id: "0000000000000000",
  claimant: "A".repeat(22),
  proof: "A".repeat(43),
  client_id: "some-host",
  hostname: "",
};

const api = (backend: RunningBackend) => ({ call: backend.api });
const wsOf = ({ url }: RunningBackend) => url.replace("http", "ws");

/** Shows a wrong token; answers the address that the audit log has for it. */
async function guess(backend: RunningBackend, forwarded: string, from = PROXY) {
  const headers = [
    `Host: 127.0.0.1:${backend.port}`,
    "Authorization: Bearer wrong",
    `X-Forwarded-For: ${forwarded}`,
  ];
  const asked = head("GET /api/v1/status", headers);
  expect((await rawHttp(backend.port, asked, from)).status).toBe(401);
  return await eventually(async () => {
    const query = {
      sort: "-seq",
      "filter[application]": "auth.api.session",
      "filter[action]": "failed",
    };
    const [newest] = await backend.api("listAudit", { query });
    if (newest === undefined) throw new Error("not audited yet");
    return newest.remote_ip;
  });
}

describe("C-35: X-Forwarded-For", () => {
  it.each([
    ["one hop", CALLER],
    ["a forged hop before the true one", `${FORGED}, ${CALLER}`],
    ["two proxies in a row", `${FORGED}, ${CALLER}, 10.1.2.3`],
    ["a port", `${FORGED}, ${CALLER}:4711`],
    ["IPv4 inside IPv6", `${FORGED}, ::ffff:${CALLER}`],
  ])("with %s names the right-most hop that is no configured proxy", async (_what, forwarded) => {
    await using backend = await startBackend({ trustedProxies: [PROXY, "10.0.0.0/8"] });
    expect(await guess(backend, forwarded)).toBe(CALLER);
  });

  it.each([
    ["nonsense", "not-an-address"],
    ["nothing", ""],
    ["a forged address before nonsense", `${FORGED}, <script>`],
  ])("with %s leaves the proxy's own address", async (_what, forwarded) => {
    await using backend = await startBackend({ trustedProxies: [PROXY] });
    expect(await guess(backend, forwarded)).toBe(PROXY);
  });

  it("of a peer that is no configured proxy changes nothing", async () => {
    await using backend = await startBackend({ trustedProxies: ["127.0.0.9"] });
    expect(await guess(backend, FORGED)).toBe(PROXY);
    expect(await guess(backend, FORGED, "127.0.0.2")).toMatch(/^127\.0\.0\.[12]$/);
  });

  it("changes nothing without the setting, and the log says once what to set", async () => {
    await using backend = await startBackend();
    expect(await guess(backend, FORGED)).toBe(PROXY);
    await guess(backend, FORGED);
    const warnings = backend.logLines.filter((line) => line.includes("trusted_proxies"));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(PROXY);
  });

  it("counts for agents and for installers alike: record, audit log, refusals, limit of claims", async () => {
    await using backend = await startBackend({ trustedProxies: [PROXY] });
    const password = await makeFleet(api(backend));
    const headers = { "X-Forwarded-For": `${FORGED}, ${CALLER}` };
    const settings = agentOf(backend, password, "behind-a-proxy");
    const connection = { headers: [`X-Forwarded-For: ${headers["X-Forwarded-For"]}`] };
    await using agent = await startAgent({ ...settings, connection });
    await agent.online();
    const params = { clientId: "behind-a-proxy" };
    expect(await backend.api("getClient", { params })).toMatchObject({ address: CALLER });
    const login = { url: wsOf(backend), user: "fleet", headers };
    await expect(PeerAgent.signIn({ ...login, password: "wrong" })).rejects.toThrow();
    expect(await backend.api("listRefusals")).toMatchObject([{ address: CALLER }]);

    const claim = async (forwarded: string) => {
      const body = JSON.stringify(CLAIM);
      const lines = ["Content-Type: application/json", `Content-Length: ${body.length}`];
      const named = [`Host: 127.0.0.1:${backend.port}`, `X-Forwarded-For: ${forwarded}`];
      const asked = head("POST /pair/v1/claim", [...named, ...lines]) + body;
      return (await rawHttp(backend.port, asked)).status;
    };
    for (let n = 0; n < 10; n += 1) expect(await claim(`${FORGED}, ${CALLER}`)).toBe(404);
    expect(await claim(CALLER)).toBe(429);
    expect(await claim(FORGED)).toBe(404);
    const addresses = (await backend.api("listAudit", { query: { sort: "-seq" } })).map(
      ({ remote_ip }) => remote_ip,
    );
    expect(addresses).toContain(CALLER);
    expect(addresses.filter((address) => address === FORGED).length).toBeLessThanOrEqual(1);
  });

  it("locks no install and no sign-in out behind a proxy that the server was not told of", async () => {
    await using backend = await startBackend();
    const body = JSON.stringify(CLAIM);
    const named = [`Host: 127.0.0.1:${backend.port}`, `X-Forwarded-For: ${CALLER}`];
    const lines = ["Content-Type: application/json", `Content-Length: ${body.length}`];
    const claim = async (headers: readonly string[]) =>
      (await rawHttp(backend.port, head("POST /pair/v1/claim", [...headers, ...lines]) + body))
        .status;
    const sign = async (headers: readonly string[]) => {
      const shown = [...headers, "Authorization: Bearer wrong"];
      return (await rawHttp(backend.port, head("GET /api/v1/status", shown))).status;
    };
    for (let n = 0; n < 15; n += 1) {
      expect([await claim(named), await sign(named)]).toEqual([404, 401]);
    }
    const direct = named.slice(0, 1);
    expect([await claim(direct), await sign(direct)]).toEqual([404, 401]);
  });

  it("counts for the users' sockets", async () => {
    await using backend = await startBackend({ trustedProxies: [PROXY] });
    const headers = [
      `Host: 127.0.0.1:${backend.port}`,
      `Authorization: Bearer ${backend.token}`,
      `X-Forwarded-For: ${FORGED}, ${CALLER}`,
    ];
    await rawHttp(backend.port, upgradeHead("/api/v1/events", headers));
    const line = await backend.logged((entry) => entry.includes("user socket opened"));
    expect(JSON.parse(line)).toMatchObject({ address: CALLER });
  });
});

describe("C-06, C-38: an upgrade of an agent with any Origin", () => {
  it.each(["http://evil.example", "null", "own", ""])(
    "is refused before it is granted: %j",
    async (origin) => {
      await using backend = await startBackend();
      const host = `127.0.0.1:${backend.port}`;
      const written = origin === "own" ? `http://${host}` : origin;
      const headers = [`Host: ${host}`, "Sec-WebSocket-Protocol: rport-v1", `Origin: ${written}`];
      const answer = await rawHttp(backend.port, upgradeHead("/", headers));
      expect(answer.status).toBe(403);
      const [host2, subprotocol] = headers;
      const without = upgradeHead("/", [String(host2), String(subprotocol)]);
      expect((await rawHttp(backend.port, without)).status).toBe(101);
      expect(await backend.api("listRefusals")).toMatchObject([{ reason: "protocol", count: 1 }]);
    },
  );
});
