import { ADMINISTRATORS, permissionsSchema } from "@rport/protocol/people/right";
import { userNameSchema } from "@rport/protocol/people/user";
import { describe, expect, it } from "vitest";
import { startBackend } from "../../support/backend/backend.ts";
import { groups, tokenRecord } from "../../support/backend/people.ts";
import {
  addUser,
  basic,
  bearer,
  newToken,
  PASSWORD,
  send,
  signIn,
} from "../../support/backend/person.ts";
import { ShiftedClock } from "../../support/shiftedClock.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const DAY_MS = 86_400_000;
const ANY = expect.any(String);
/** RFC 3339 ends a fraction nowhere. */
const LONG_TIME = `2100-01-01T00:00:00.${"1".repeat(100)}Z`;

async function startWithUsers(options: Parameters<typeof startBackend>[0] = {}) {
  const running = await startBackend(options);
  await addUser(running, "root", { groups: groups(ADMINISTRATORS) });
  await addUser(running, "anna");
  const session = await signIn(running, "anna");
  const authorization = bearer(session);
  const why = async (shown: string) => {
    const { status, body } = await send(running, "GET /me", { authorization: shown });
    return status === 200 ? status : body.errors?.[0]?.title;
  };
  return {
    running,
    session,
    authorization,
    why,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

describe("a personal token", () => {
  it("opens what its user may, as Bearer and as the password of Basic, if the name fits", async () => {
    await using tried = await startWithUsers();
    const { running, session, why } = tried;
    const { token, prefix } = await newToken(running, session);
    expect(token).toMatch(new RegExp(`^${prefix}_[\\w-]{43}$`));
    expect(await why(bearer(token))).toBe(200);
    expect(await why(basic("anna", token))).toBe(200);
    for (const shown of [basic("root", token), bearer(`${token}x`), bearer(`${prefix}_x`)]) {
      expect(await why(shown)).toContain("A valid token is needed");
    }
    const { body } = await send(running, "GET /me/tokens", { authorization: bearer(token) });
    expect(body.data).toEqual([
      {
        prefix,
        name: "a script",
        scope: "read+write",
        created_at: ANY,
        expires_at: ANY,
        last_used_at: ANY,
        last_used_from: "127.0.0.1",
        current: true,
      },
    ]);
    expect(JSON.stringify(running.backend.accounts.ledger.get("anna")?.tokens())).not.toContain(
      token,
    );
  });

  it("works for a year unless told otherwise, and says when its time was over", async () => {
    const clock = new ShiftedClock();
    await using tried = await startWithUsers({ clock });
    const { running, session, why } = tried;
    const year = await newToken(running, session);
    const forever = await newToken(running, session, { name: "for ever", expires_at: null });
    clock.pass(364 * DAY_MS);
    expect(await why(bearer(year.token))).toBe(200);
    clock.pass(3 * DAY_MS);
    expect(await why(bearer(year.token))).toBe("This token has expired.");
    expect(await why(bearer(forever.token))).toBe(200);
  });

  it("is renamed, moved to another end, and ended; then it says so", async () => {
    await using tried = await startWithUsers();
    const { running, session, authorization, why } = tried;
    const { token, prefix } = await newToken(running, session);
    const expiresAt = new Date(Date.now() + DAY_MS).toISOString();
    const json = { name: "the cron job", expires_at: expiresAt };
    const changed = await send(running, `PUT /me/tokens/${prefix}`, { authorization, json });
    expect(changed).toMatchObject({ status: 200, body: { data: { prefix, ...json } } });
    const long = { authorization, json: { expires_at: LONG_TIME } };
    expect((await send(running, `PUT /me/tokens/${prefix}`, long)).status).toBe(400);
    const gone = await send(running, `DELETE /me/tokens/${prefix}`, { authorization });
    expect(gone.status).toBe(204);
    expect(await why(bearer(token))).toBe("This token was ended.");
    const again = await send(running, `DELETE /me/tokens/${prefix}`, { authorization });
    expect(again.status).toBe(404);
    await newToken(running, session, { name: "the cron job" });
  });

  it("closes what was opened with it when its time is over", async () => {
    await using tried = await startWithUsers();
    const { running, session } = tried;
    const expiresAt = new Date(Date.now() + 1_500).toISOString();
    const { token } = await newToken(running, session, { expires_at: expiresAt });
    using events = running.events(token);
    await events.snapshot();
    expect(await events.closed).toBe(4003);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expiresAt));
  });

  it.each([
    ["no name", { name: "" }, 400],
    ["a name of 250 characters", { name: "x".repeat(250) }, 400],
    ["a scope that is none", { scope: "all" }, 400],
    ["no scope", { scope: undefined }, 400],
    ["the scope of administrators", { scope: "clients-auth" }, 400],
    ["an end in the past", { expires_at: "2020-01-01T00:00:00Z" }, 400],
    ["an end that is no time", { expires_at: "tomorrow" }, 400],
    ["an end to a hundredth digit of a second", { expires_at: LONG_TIME }, 400],
    ["a name that is taken", { name: "taken" }, 409],
    ["something that it does not have", { password: "x" }, 400],
  ])("is not made with %s", async (_, given, status) => {
    await using tried = await startWithUsers();
    const { running, session, authorization } = tried;
    await newToken(running, session, { name: "taken" });
    const json = { name: "x", scope: "read", ...given };
    const reply = await send(running, "POST /me/tokens", { authorization, json });
    expect(reply.status).toBe(status);
  });

  it("is nobody else's to see, change or end", async () => {
    await using tried = await startWithUsers();
    const { running, session } = tried;
    const { prefix } = await newToken(running, session);
    const authorization = bearer(await signIn(running, "root"));
    for (const [method, json] of [
      ["PUT", { name: "mine" }],
      ["DELETE", undefined],
    ] as const) {
      const sent = { authorization, json };
      expect((await send(running, `${method} /me/tokens/${prefix}`, sent)).status).toBe(404);
    }
    expect((await send(running, "GET /me/tokens", { authorization })).body.data).toEqual([]);
  });

  it("of scope read changes nothing and opens no socket", async () => {
    await using tried = await startWithUsers();
    const { running, session } = tried;
    const { token } = await newToken(running, session, { scope: "read" });
    const authorization = bearer(token);
    const json = { name: "more", scope: "read+write" };
    for (const [method, path, body] of [
      ["POST", "/me/tokens", json],
      ["POST", "/me/totp-secret", undefined],
      ["DELETE", "/logout", undefined],
      ["PUT", "/me", {}],
    ] as const) {
      expect((await send(running, `${method} ${path}`, { authorization, json: body })).status).toBe(
        403,
      );
    }
    using events = running.events(token);
    expect(await events.closed).toBe(1006);
  });

  it("is read though its end was written longer than it may be given", async () => {
    await using directory = await tempDirectory();
    const dataDir = directory.path;
    {
      await using running = await startBackend({ dataDir });
      await addUser(running, "anna");
      const record = tokenRecord("anna", 1, { expires_at: LONG_TIME });
      const user = record.username;
      await running.backend.accounts.edits.commit([{ kind: "addToken", user, record }]);
    }
    await using running = await startBackend({ dataDir });
    const [kept] = running.backend.accounts.users.tokensOf("anna");
    expect(kept).toMatchObject({ expires_at: LONG_TIME });
  });

  it("outlives a restart, and remembers when and where it was used", async () => {
    await using directory = await tempDirectory();
    const dataDir = directory.path;
    let token = "";
    {
      await using tried = await startWithUsers({ dataDir });
      ({ token } = await newToken(tried.running, tried.session));
      await tried.why(bearer(token));
    }
    await using running = await startBackend({ dataDir });
    const [kept] = running.backend.accounts.users.tokensOf("anna");
    expect(kept).toMatchObject({ last_used_at: ANY, last_used_from: "127.0.0.1" });
    expect((await send(running, "GET /me", { authorization: bearer(token) })).status).toBe(200);
  });
});

describe("one's own account", () => {
  it("is none in local mode, which says so", async () => {
    await using running = await startBackend();
    const me = await running.api("getMe");
    expect(me).toMatchObject({ account: false, administrator: true, groups: [ADMINISTRATORS] });
    for (const [method, path, json] of [
      ["PUT", "/me", { display_name: "x" }],
      ["GET", "/me/tokens", undefined],
      ["POST", "/me/tokens", { name: "x", scope: "read" }],
      ["POST", "/me/totp-secret", undefined],
      ["DELETE", "/logout", undefined],
    ] as const) {
      expect((await running.raw(method, path, { body: json })).status).toBe(404);
    }
  });

  it("gets another password with the old one only, and keeps the session that did it", async () => {
    await using tried = await startWithUsers();
    const { running, authorization, why } = tried;
    const other = await signIn(running, "anna");
    const password = "another horse battery";
    const change = async (json: unknown) =>
      (await send(running, "PUT /me", { authorization, json })).status;
    expect(await change({ password })).toBe(403);
    expect(await change({ password, old_password: "not the password" })).toBe(403);
    expect(await change({ password: "short", old_password: PASSWORD })).toBe(400);
    expect(await change({ password, old_password: PASSWORD })).toBe(204);
    expect(await why(authorization)).toBe(200);
    expect(await why(bearer(other))).toContain("was ended");
    await signIn(running, "anna", password);
  });

  it("is called otherwise without anything ending, and by no name that is taken", async () => {
    await using tried = await startWithUsers();
    const { running, session, authorization } = tried;
    const { token } = await newToken(running, session);
    const rename = async (username: string) =>
      (await send(running, "PUT /me", { authorization, json: { username } })).status;
    expect(await rename("root")).toBe(409);
    expect(await rename("a:b")).toBe(400);
    expect(await rename("Анна ‮")).toBe(400);
    expect(await rename("Анна")).toBe(204);
    const me = await send(running, "GET /me", { authorization: basic("Анна", token) });
    expect(me.body.data).toMatchObject({ username: "Анна" });
    const address = await send(running, "GET /me/ip", { authorization });
    expect(address.body.data).toEqual({ ip: "127.0.0.1" });
  });

  it("does not show what somebody did who had the name before", async () => {
    await using tried = await startWithUsers();
    const { running, session, authorization } = tried;
    const { edits } = running.backend.accounts;
    const [auditors, former] = [groups("auditors")[0], userNameSchema.parse("former")];
    if (auditors === undefined) throw new Error("no group");
    const permissions = permissionsSchema.parse({ auditlog: true });
    await edits.commit([
      { kind: "putGroup", record: { name: auditors, permissions } },
      {
        kind: "changeUser",
        user: userNameSchema.parse("anna"),
        to: { groups: [auditors] },
        atMs: Date.now(),
      },
    ]);
    await addUser(running, "former", { groups: groups("auditors") });
    await newToken(running, await signIn(running, "former"), { name: "of former" });
    await edits.commit([{ kind: "removeUser", user: former }]);
    await newToken(running, session, { name: "of anna" });
    const json = { username: "former" };
    expect((await send(running, "PUT /me", { authorization, json })).status).toBe(204);
    await newToken(running, session, { name: "of the second" });
    const { body } = await send(running, "GET /auditlog", { authorization });
    expect(JSON.stringify(body)).toContain("of the second");
    expect(JSON.stringify(body)).not.toContain("of former");
  });
});
