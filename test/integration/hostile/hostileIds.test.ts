import { API_PREFIX } from "@rport/protocol/http";
import { describe, expect, it } from "vitest";
import { isLetIn, PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";

const ODD_IDS = [
  "__proto__",
  "constructor",
  "hasOwnProperty",
  'it\'s "x" `y` $(z) $w',
  "a/b c\\d?e#f&g=h",
  "../../etc",
  "%00%2e%2e%2f",
  "\u{1F600}".repeat(64),
  "مرحبا بالعالم",
  "Straße é 日本語",
];

const wsOf = ({ url }: RunningBackend) => url.replace("http", "ws");

describe("any printable auth id", () => {
  it.each(ODD_IDS)("C-25: lives its whole life over the API and with a host: %s", async (id) => {
    await using backend = await startBackend();
    const { api } = backend;
    const { password } = await api("createCredential", { body: { id } });
    const params = { authId: id };
    // The host calls itself the same, so that its own paths are as odd.
    const introduction = { ID: id };
    const login = { url: wsOf(backend), user: id, password, introduction };
    await using agent = await PeerAgent.join(login);
    expect(await api("getCredential", { params })).toMatchObject({ id, clients_connected: 1 });
    const host = { clientId: id };
    const report = await api("revokeClient", { params: host });
    expect(report).toMatchObject({ disconnected: 1, clients: [{ id }] });
    await agent.closed;
    await api("allowClient", { params: host });
    const { secret_id: secretId } = await api("addSecret", { params, body: {} });
    await api("revokeSecret", { params: { ...params, secretId } });
    await api("rotateCredential", { params, body: { grace_seconds: 3_600 } });
    expect((await api("getRotation", { params })).clients).toMatchObject([{ id }]);
    await api("cancelRotation", { params });
    await api("updateCredential", { params, body: { label: id } });
    await using _back = await PeerAgent.join(login);
    await api("deleteCredential", { params, query: { force: "true", purge: "true" } });
    await expect(PeerAgent.signIn(login)).rejects.toThrow();
    const left = [...(await api("listCredentials")), ...(await api("listClients"))];
    expect(JSON.stringify(left)).not.toContain(JSON.stringify(id).slice(1, -1));
    const refusals = await api("listRefusals");
    expect(refusals.map(({ auth_id: authId }) => authId)).toEqual([id]);
    expect(({} as Record<string, unknown>).label).toBeUndefined();
  });

  it.each([
    ["composed and decomposed letters", "caf\u00e9", "cafe\u0301"],
    ["capitals", "fleet", "Fleet"],
    ["wide letters", "fleet", "ｆｌｅｅｔ"],
    ["letters of another alphabet", "fleet", "fl\u0435et"],
    ["the number of spaces", "a b", "a  b"],
  ])("C-25: is told from one that differs in %s", async (_, one, other) => {
    await using backend = await startBackend();
    const { api } = backend;
    const made = await api("createCredential", { body: { id: one } });
    const url = wsOf(backend);
    expect(await isLetIn({ url, user: other, password: made.password })).toBe(false);
    const second = await api("createCredential", { body: { id: other } });
    expect(await isLetIn({ url, user: other, password: made.password })).toBe(false);
    await api("deleteCredential", { params: { authId: one } });
    expect(await isLetIn({ url, user: one, password: made.password })).toBe(false);
    expect(await isLetIn({ url, user: other, password: second.password })).toBe(true);
  });
});

/** Not printable, too short or too long, or taken apart by agents. */
const FORBIDDEN = [
  "ab",
  "a:b",
  " lead",
  "trail ",
  "a\u0000b",
  "a\nb",
  "a\u202Eb",
  "a\u200Bb",
  "a\uFEFFb",
  "a\u00ADb",
  "a\u3164b",
  "x".repeat(65),
  "x".repeat(10_240),
  "ab\uD800",
];

describe("any other auth id", () => {
  it("is refused where a credential is made, with the reason", async () => {
    await using backend = await startBackend();
    for (const id of FORBIDDEN) {
      const { status, body } = await backend.raw("POST", "/clients-auth", { body: { id } });
      expect(status, JSON.stringify(id.slice(0, 80))).toBe(400);
      expect(JSON.stringify(body)).toMatch(/auth id|too big|at most|characters/i);
    }
  });

  it("C-22: opens, changes and breaks nothing on any path", async () => {
    await using backend = await startBackend();
    const printable = FORBIDDEN.filter((id) => id.isWellFormed()).map(encodeURIComponent);
    const paths = [...printable, "%", "%ff", "%c0%80", "%E0%A4%A", "..%2f..", "%2e%2e"];
    const before = await backend.api("listCredentials");
    for (const path of paths) {
      for (const [method, rest] of [
        ["GET", ""],
        ["DELETE", "?force=true&purge=true"],
        ["PATCH", ""],
        ["POST", "/rotate"],
        ["POST", "/rotation/finish"],
        ["DELETE", "/secrets/12345678"],
      ]) {
        const answer = await fetch(`${backend.url}${API_PREFIX}/clients-auth/${path}${rest}`, {
          method: method ?? "GET",
          body: method === "GET" ? null : "{}",
          headers: {
            Authorization: `Bearer ${backend.token}`,
            "Content-Type": "application/json",
          },
        });
        expect(answer.status, `${method} ${path.slice(0, 40)}${rest}`).toBeGreaterThanOrEqual(400);
        expect(answer.status, `${method} ${path.slice(0, 40)}${rest}`).toBeLessThan(500);
      }
    }
    expect(await backend.api("listCredentials")).toEqual(before);
  });

  it.each(FORBIDDEN.filter((id) => id.isWellFormed()))(
    "signs nobody in, and the others still can: %j",
    async (user) => {
      await using backend = await startBackend();
      const { password } = await backend.api("createCredential", { body: { id: "fleet" } });
      const url = wsOf(backend);
      expect(await isLetIn({ url, user, password })).toBe(false);
      expect(await isLetIn({ url, user: "fleet", password })).toBe(true);
    },
  );
});
