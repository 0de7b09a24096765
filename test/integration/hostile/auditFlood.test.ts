import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { API_PREFIX } from "@rport/protocol/http";
import { describe, expect, it } from "vitest";
import { FaultyFiles } from "../../support/backend/auditLog.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { addUser, bearer, newToken, PASSWORD, send, signIn } from "../../support/backend/person.ts";

/** Asks who it is, from an address of this machine; answers with the status. */
async function askFrom({ url }: RunningBackend, token: string, localAddress: string) {
  const headers = { Authorization: bearer(token) };
  const request = get(`${url}${API_PREFIX}/me`, { localAddress, headers, agent: false });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "end");
  return response.statusCode;
}

/** Entries about tokens and sessions that were used; whose. */
async function used({ api }: RunningBackend): Promise<string[]> {
  const query = { "filter[application]": "auth.api.session", "page[limit]": "100" };
  return (await api("listAudit", { query })).map(({ username }) => username);
}

describe("a user whose token is used from ever other addresses", () => {
  it("has a bounded number of entries for it, and what others do is written", async () => {
    await using backend = await startBackend({ limits: { sign_in_entries_per_user: 10 } });
    await addUser(backend, "mallory");
    await addUser(backend, "anna");
    const { token } = await newToken(backend, await signIn(backend, "mallory"));
    for (let n = 1; n <= 60; n += 1)
      expect(await askFrom(backend, token, `127.7.0.${n}`)).toBe(200);
    await askFrom(backend, await signIn(backend, "anna"), "127.8.0.1");
    const names = await used(backend);
    const of = (name: string) => names.filter((one) => one === name).length;
    // Beside the ten: mallory's sign-in with a password. Of anna's, her sign-in and her request from elsewhere.
    expect([of("mallory"), of("anna")]).toEqual([11, 2]);
    await backend.logged(
      (line) => line.includes("sign_in_entries_per_user") && line.includes("mallory"),
    );
  });
});

describe("a change while the disk hangs and more is noted than has a place", () => {
  it("is in the log when it is answered", async () => {
    const files = new FaultyFiles();
    await using backend = await startBackend({ openAuditFile: files.open });
    const { audit } = backend.backend.auditing;
    await backend.api("getMe");
    await audit.settled();
    using disk = files.hang();
    const what = { application: "client", action: "connect" } as const;
    for (let n = 0; n < 30_000; n += 1) audit.note({ ...what, affectedId: `${n}` });
    const all = audit.waiting;
    await expect.poll(() => audit.waiting).toBeLessThan(all);
    const before = audit.waiting;
    const change = backend.api("createCredential", { body: { id: "kept" } });
    await expect.poll(() => audit.waiting).toBe(before + 1);
    disk.release();
    await change;
    const query = { "filter[affected_id]": "kept" };
    expect(await backend.api("listAudit", { query })).toHaveLength(1);
    await backend.logged((line) => line.includes("entries of the audit log are lost"));
  });
});

describe("a user who takes another password with each sign-in", () => {
  it("changes no more so than in any other way", async () => {
    await using backend = await startBackend({ limits: { changes_per_user: 10 } });
    await addUser(backend, "mallory");
    const json = { username: "mallory", password: PASSWORD, new_password: PASSWORD };
    const statuses: number[] = [];
    for (let n = 0; n < 12; n += 1) {
      statuses.push((await send(backend, "POST /login", { json })).status);
    }
    expect(statuses.slice(0, 10)).toEqual(Array(10).fill(200));
    expect(statuses[11]).toBe(429);
    await signIn(backend, "mallory");
  });
});
