import { readFile, rm } from "node:fs/promises";
import { CLOSE_CODES } from "@rport/protocol/errors";
import { ADMINISTRATORS } from "@rport/protocol/people/right";
import { userNameSchema } from "@rport/protocol/people/user";
import { SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { groups } from "../../support/backend/people.ts";
import { addUser, basic, bearer, PASSWORD, send, signIn } from "../../support/backend/person.ts";
import { ShiftedClock } from "../../support/shiftedClock.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const WRONG = "The name or the password is wrong.";
const NEEDED = "A valid token is needed: Authorization: Bearer <token>.";

async function startWithUser(options: Parameters<typeof startBackend>[0] = {}) {
  const running = await startBackend(options);
  await addUser(running, "root", { groups: groups(ADMINISTRATORS) });
  await addUser(running, "anna");
  return running;
}

function me(running: RunningBackend, authorization?: string) {
  return send(running, "GET /me", { authorization });
}

describe("signing in with a password", () => {
  it("works as RPort's three ways: Basic, JSON, a form", async () => {
    await using running = await startWithUser();
    const credentials = { username: "anna", password: PASSWORD };
    const replies = [
      await send(running, "GET /login", { authorization: basic("anna", PASSWORD) }),
      await send(running, "POST /login", { json: credentials }),
      await send(running, "POST /login?token-lifetime=3600", { form: credentials }),
    ];
    for (const { status, body } of replies) {
      expect(status).toBe(200);
      expect(body).toEqual({ data: { token: expect.any(String), two_fa: null } });
      const { token } = body.data as { token: string };
      expect(await me(running, bearer(token))).toMatchObject({
        status: 200,
        body: { data: { username: "anna", account: true, administrator: false } },
      });
    }
  });

  it("says the same to a wrong password, an unknown name and one without a password", async () => {
    await using running = await startWithUser();
    await addUser(running, "ben", { password: null });
    for (const username of ["anna", "nobody", "ben", "__proto__"]) {
      const json = { username, password: "not the password" };
      const { status, body } = await send(running, "POST /login", { json });
      expect([status, body.errors?.[0]?.title]).toEqual([401, WRONG]);
    }
  });

  it.each([
    ["no name", "POST /login", { json: { username: "", password: PASSWORD } }, 401],
    ["nothing at all", "GET /login", {}, 401],
    ["a Bearer", "GET /login", { authorization: "Bearer x" }, 401],
    ["no body", "POST /login", {}, 415],
    ["a field too many", "POST /login", { json: { username: "a", password: "b", x: 1 } }, 400],
    ["names", "POST /login", { json: { username: ["anna"], password: "b" } }, 400],
    ["a page", "POST /login", { json: { username: "anna", password: "x".repeat(600) } }, 400],
    ["91 days", "GET /login?token-lifetime=7862400", { authorization: "Basic YTpi" }, 400],
    ["words", "GET /login?token-lifetime=long", { authorization: "Basic YTpi" }, 400],
  ] as const)("refuses %s", async (...[, target, sent, status]) => {
    await using running = await startWithUser();
    const reply = await send(running, target, sent);
    expect(reply.status).toBe(status);
    expect(reply.body.errors?.[0]).toMatchObject({ code: expect.any(String) });
  });

  it("takes a new password with the old one, which ends other sessions", async () => {
    await using running = await startWithUser();
    await addUser(running, "old", { password_expired: true });
    const credentials = { username: "old", password: PASSWORD };
    const expired = await send(running, "POST /login", { json: credentials });
    expect([expired.status, expired.body.errors?.[0]?.title]).toEqual([
      401,
      expect.stringContaining("has expired"),
    ]);
    const short = await send(running, "POST /login", {
      json: { ...credentials, new_password: "short" },
    });
    expect(short.status).toBe(400);
    const json = { ...credentials, new_password: "another horse battery" };
    expect((await send(running, "POST /login", { json })).status).toBe(200);
    await expect(signIn(running, "old")).rejects.toThrow("401");
    await signIn(running, "old", "another horse battery");
    const { body } = await running.raw("GET", "/auditlog", {
      query: { "filter[application]": "auth.user.me" },
    });
    expect((body as { data: unknown[] }).data).toEqual([
      expect.objectContaining({
        action: "update",
        username: "old",
        request: JSON.stringify({ password: "[hidden]", with: "sign-in" }),
      }),
    ]);
  });

  it("of two new passwords with the same old one takes one", async () => {
    await using running = await startWithUser();
    const login = (next: string) =>
      send(running, "POST /login", {
        json: { username: "anna", password: PASSWORD, new_password: next },
      });
    const replies = await Promise.all([login("one long password"), login("other long password")]);
    expect(replies.map(({ status }) => status).toSorted()).toEqual([200, 401]);
  });

  it("tells a disabled user so, once the password was right", async () => {
    await using running = await startWithUser();
    await addUser(running, "gone", { disabled: true });
    await expect(signIn(running, "gone")).rejects.toThrow("The user is disabled.");
    await expect(signIn(running, "gone", "not the password")).rejects.toThrow(WRONG);
  });

  it("makes whoever guesses wait, in their network; others sign in at once", async () => {
    await using running = await startWithUser({ trustedProxies: ["127.0.0.1"] });
    const from = (address: string, password: string) =>
      fetch(`${running.url}/api/v1/login`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Forwarded-For": address },
        body: JSON.stringify({ username: "anna", password }),
      });
    const guesses = Array.from({ length: 200 }, (_, n) => from("192.0.2.1", `guess ${n}`));
    const [right, ...answers] = await Promise.all([from("198.51.100.1", PASSWORD), ...guesses]);
    expect(right.status).toBe(200);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(150);
    expect(Number(refused[0]?.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect((await from("198.51.100.1", PASSWORD)).status).toBe(200);
  });
});

describe("a session", () => {
  it("lasts ten minutes from each use, or as long as it was asked for", async () => {
    const clock = new ShiftedClock();
    await using running = await startWithUser({ clock });
    const token = await signIn(running, "anna");
    for (let n = 0; n < 3; n += 1) {
      clock.pass(9 * 60_000);
      expect((await me(running, bearer(token))).status).toBe(200);
    }
    clock.pass(10 * 60_000 + 1);
    const late = await me(running, bearer(token));
    expect([late.status, late.body.errors?.[0]?.title]).toEqual([
      401,
      "This session has expired: sign in again.",
    ]);
  });

  it("ends with /logout, and says so from then on", async () => {
    await using running = await startWithUser();
    const token = await signIn(running, "anna");
    const other = await signIn(running, "anna");
    const authorization = bearer(token);
    expect((await send(running, "DELETE /logout", { authorization })).status).toBe(204);
    const again = await send(running, "DELETE /logout", { authorization });
    expect([again.status, again.body.errors?.[0]?.title]).toEqual([
      401,
      "This session was ended: sign in again.",
    ]);
    expect((await me(running, bearer(other))).status).toBe(200);
  });

  it("outlives a restart of the server; without its key it has ended", async () => {
    await using directory = await tempDirectory();
    const dataDir = directory.path;
    let token = "";
    {
      await using running = await startWithUser({ dataDir });
      token = await signIn(running, "anna");
    }
    {
      await using running = await startBackend({ dataDir });
      expect((await me(running, bearer(token))).status).toBe(200);
    }
    await rm(`${dataDir}/sessions.key`);
    await using running = await startBackend({ dataDir });
    const reply = await me(running, bearer(token));
    expect([reply.status, reply.body.errors?.[0]?.title]).toEqual([401, NEEDED]);
    await signIn(running, "anna");
  });

  it("is nobody's when its token was signed otherwise, or says that it begins later", async () => {
    const clock = new ShiftedClock();
    await using running = await startWithUser({ clock });
    const token = await signIn(running, "anna");
    const [head = "", claims = "", signature = ""] = token.split(".");
    const { sessionID } = JSON.parse(Buffer.from(claims, "base64url").toString()) as {
      sessionID: number;
    };
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const key = await sessionKeyOf(running);
    const nowS = Math.floor(clock.now() / 1_000);
    const signed = (given: Record<string, unknown>, secret: Buffer, alg = "HS256") =>
      new SignJWT({ username: "anna", sessionID, iat: nowS, ...given })
        .setProtectedHeader({ alg })
        .sign(secret);
    const wrong = [
      `${part({ alg: "none", typ: "JWT" })}.${claims}.`,
      `${part({ alg: "none", typ: "JWT" })}.${claims}.${signature}`,
      `${head}.${part({ username: "root", sessionID, iat: nowS })}.${signature}`,
      await signed({}, Buffer.alloc(32, 7)),
      await signed({}, Buffer.concat([key, key]), "HS512"),
      await signed({ iat: nowS + 3_600 }, key),
      await signed({ nbf: nowS + 3_600 }, key),
      await signed({ exp: nowS - 3_600 }, key),
      await signed({ sessionID: "1" }, key),
    ];
    for (const one of wrong) {
      const reply = await me(running, bearer(one));
      expect([reply.status, reply.body.errors?.[0]?.title]).toEqual([401, NEEDED]);
    }
    expect((await me(running, bearer(await signed({}, key)))).status).toBe(200);
    expect((await me(running, basic("anna", token))).status).toBe(401);
  });

  it("ends when its user is disabled, with what is open, and says why", async () => {
    await using running = await startWithUser();
    const token = await signIn(running, "anna");
    using events = running.events(token);
    await events.snapshot();
    expect(running.backend.accounts.users.get("anna")?.sockets).toBe(1);
    const user = userNameSchema.parse("anna");
    const to = { disabled: true };
    const atMs = Date.now();
    await running.backend.accounts.edits.commit([{ kind: "changeUser", user, to, atMs }]);
    expect(await events.closed).toBe(CLOSE_CODES.unauthorized);
    const reply = await me(running, bearer(token));
    expect([reply.status, reply.body.errors?.[0]?.title]).toEqual([401, "The user is disabled."]);
  });
});

async function sessionKeyOf({ dataDir }: RunningBackend): Promise<Buffer> {
  const text = await readFile(`${dataDir}/sessions.key`, "utf8");
  return Buffer.from(text.trim(), "hex");
}
