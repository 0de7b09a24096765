import { ADMINISTRATORS } from "@rport/protocol/people/right";
import { Secret, TOTP } from "otpauth";
import { describe, expect, it } from "vitest";
import { startBackend } from "../../support/backend/backend.ts";
import { groups } from "../../support/backend/people.ts";
import { addUser, bearer, newToken, PASSWORD, send, signIn } from "../../support/backend/person.ts";
import { ShiftedClock } from "../../support/shiftedClock.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Anna, who administers, with a session of an hour and a token of a day. */
async function startWithAnna() {
  const clock = new ShiftedClock();
  const running = await startBackend({ clock });
  await addUser(running, "root", { groups: groups(ADMINISTRATORS) });
  await addUser(running, "anna", { groups: groups(ADMINISTRATORS) });
  const json = { username: "anna", password: PASSWORD };
  const { body } = await send(running, "POST /login?token-lifetime=3600", { json });
  const session = (body.data as { token: string }).token;
  const at = (ms: number) => new Date(clock.now() + ms).toISOString();
  const { token, prefix } = await newToken(running, session, { expires_at: at(DAY_MS) });
  const ask = async (target: string, shown: string, sent?: unknown) =>
    await send(running, target, { authorization: bearer(shown), json: sent });
  const status = async (target: string, shown: string, sent?: unknown) =>
    (await ask(target, shown, sent)).status;
  const setUp = async (shown: string, sent?: unknown) => {
    const { body: made } = await ask("POST /me/totp-secret", shown, sent);
    const { secret, recovery_codes: recovery } = made as unknown as {
      secret: string;
      recovery_codes: string[];
    };
    const totp = new TOTP({ secret: Secret.fromBase32(secret) });
    const code = (periods = 0) =>
      totp.generate({ timestamp: clock.now() + periods * 0.5 * MINUTE_MS });
    expect(await status("POST /me/totp-secret/confirm", shown, { token: code() })).toBe(204);
    clock.pass(0.5 * MINUTE_MS);
    return { code, recovery };
  };
  const has = () => running.backend.accounts.ledger.get("anna")?.record.totp?.confirmed === true;
  return {
    running,
    clock,
    session,
    token,
    prefix,
    at,
    ask,
    status,
    setUp,
    has,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

describe("a second factor", () => {
  it("is given up with a session that has only just begun, as in RPort, or with a code", async () => {
    await using tried = await startWithAnna();
    const { clock, session, token, status, setUp, has } = tried;
    const { code, recovery } = await setUp(session);
    expect(await status("DELETE /me/totp-secret", token)).toBe(403);
    clock.pass(10 * MINUTE_MS);
    for (const [shown, sent] of [
      [session, undefined],
      [session, {}],
      [session, { token: "" }],
      [session, { token: "000000" }],
      [token, { token: "no-such-code" }],
    ] as const) {
      expect([sent, await status("DELETE /me/totp-secret", shown, sent)]).toEqual([sent, 403]);
    }
    expect(await status("DELETE /me/totp-secret", session, { password: PASSWORD })).toBe(400);
    expect(has()).toBe(true);
    clock.pass(MINUTE_MS);
    expect(await status("DELETE /me/totp-secret", token, { token: code() })).toBe(204);
    expect(has()).toBe(false);
    expect(recovery).toHaveLength(10);
  });

  it("is given up with a recovery code, too, and by a fresh session without a body", async () => {
    await using tried = await startWithAnna();
    const { session, token, status, setUp, has } = tried;
    const { recovery } = await setUp(session);
    expect(await status("DELETE /me/totp-secret", token, { token: recovery[3] })).toBe(204);
    await setUp(session);
    expect(await status("DELETE /me/totp-secret", session)).toBe(204);
    expect(has()).toBe(false);
  });

  it("is set up with a fresh session or the password: nobody is kept out by a stolen token", async () => {
    await using tried = await startWithAnna();
    const { clock, session, token, status, setUp, has } = tried;
    clock.pass(10 * MINUTE_MS);
    for (const shown of [session, token]) {
      expect(await status("POST /me/totp-secret", shown)).toBe(403);
      expect(await status("POST /me/totp-secret", shown, { password: "not the password" })).toBe(
        403,
      );
    }
    await setUp(token, { password: PASSWORD });
    expect(has()).toBe(true);
  });

  it("ends the sessions that began without it, save the one that confirmed it", async () => {
    await using tried = await startWithAnna();
    const { running, session, status, setUp } = tried;
    const other = await signIn(running, "anna");
    await setUp(session);
    expect(await status("GET /me", session)).toBe(200);
    expect(await status("GET /me", other)).toBe(401);
  });

  it("that is guessed at with a stolen token uses up no tries at the door", async () => {
    await using tried = await startWithAnna();
    const { running, clock, session, token, setUp } = tried;
    const { code } = await setUp(session);
    const { ownFactor, signIn: door, personalTokens, sessions } = running.backend.accounts;
    const checked = personalTokens.check({ secret: token, name: undefined }, "192.0.2.1");
    if (checked?.kind !== "actor") throw new Error("no token");
    for (let n = 0; n < 25; n += 1) {
      const from = { address: `192.0.2.${n}`, isShared: false };
      await ownFactor.remove(checked.actor, "000000", from).catch(() => undefined);
    }
    clock.pass(MINUTE_MS);
    const from = { address: "198.51.100.1", isShared: false, userAgent: "", lifetimeS: undefined };
    const typed = { username: "anna", password: PASSWORD };
    const { token: owing } = await door.withPassword(typed, from);
    const shown = await sessions.check(owing, from.address);
    if (shown?.kind !== "actor") throw new Error("no session");
    const told = { username: "anna", token: code() };
    expect(await door.withCode(shown.actor, told, from)).not.toBe("");
  });
});

describe("another name", () => {
  it("takes a session that has only just begun, or the password: nobody is kept out by a stolen token", async () => {
    await using tried = await startWithAnna();
    const { running, clock, session, token, status } = tried;
    expect(await status("PUT /me", token, { username: "mallory" })).toBe(403);
    expect(await status("PUT /me", session, { username: "Anna" })).toBe(204);
    expect(await status("PUT /me", session, { username: "anna" })).toBe(204);
    clock.pass(10 * MINUTE_MS);
    for (const shown of [session, token]) {
      for (const more of [{}, { old_password: "" }, { old_password: "not the password" }]) {
        const json = { username: "mallory", ...more };
        expect([json, await status("PUT /me", shown, json)]).toEqual([json, 403]);
      }
      const unchanged = { username: "anna", display_name: "Anna" };
      expect(await status("PUT /me", shown, unchanged)).toBe(204);
    }
    await signIn(running, "anna");
    expect(await status("PUT /me", token, { username: "hanna", old_password: PASSWORD })).toBe(204);
    await signIn(running, "hanna");
  });
});

describe("a personal token", () => {
  it("makes and prolongs none that works longer than itself", async () => {
    await using tried = await startWithAnna();
    const { token, prefix, at, ask, status } = tried;
    const make = (name: string, given: object = {}) =>
      ask("POST /me/tokens", token, { name, scope: "read", ...given });
    const own = (await ask("GET /me/tokens", token)).body.data as { expires_at: string }[];
    expect((await make("one")).body.data).toMatchObject({ expires_at: own[0]?.expires_at });
    expect((await make("two", { expires_at: at(DAY_MS / 2) })).status).toBe(200);
    for (const end of [null, at(2 * DAY_MS)]) {
      expect((await make("three", { expires_at: end })).status).toBe(403);
      expect(await status(`PUT /me/tokens/${prefix}`, token, { expires_at: end })).toBe(403);
    }
    const renamed = { name: "shorter", expires_at: at(DAY_MS / 4) };
    expect(await status(`PUT /me/tokens/${prefix}`, token, renamed)).toBe(200);
  });

  it("for ever makes others for ever, of whatever scope its user may have", async () => {
    await using tried = await startWithAnna();
    const { running, session, status } = tried;
    const { token } = await newToken(running, session, { name: "ever", expires_at: null });
    const json = { name: "more", scope: "clients-auth", expires_at: null };
    expect(await status("POST /me/tokens", token, json)).toBe(200);
  });

  it("is made and prolonged by a session only as long as that is fresh", async () => {
    await using tried = await startWithAnna();
    const { clock, session, prefix, at, status } = tried;
    clock.pass(10 * MINUTE_MS);
    const json = { name: "late", scope: "read" };
    expect(await status("POST /me/tokens", session, json)).toBe(403);
    expect(await status(`PUT /me/tokens/${prefix}`, session, { expires_at: null })).toBe(403);
    const shorter = { name: "renamed", expires_at: at(DAY_MS / 2) };
    expect(await status(`PUT /me/tokens/${prefix}`, session, shorter)).toBe(200);
    expect(await status(`DELETE /me/tokens/${prefix}`, session)).toBe(204);
  });
});

describe("an administrator", () => {
  it("gets round nothing of that by the endpoints for others", async () => {
    await using tried = await startWithAnna();
    const { running, clock, session, token, status, setUp, has } = tried;
    await setUp(session);
    clock.pass(10 * MINUTE_MS);
    for (const shown of [session, token]) {
      expect(await status("DELETE /users/anna/totp-secret", shown)).toBe(403);
      for (const json of [{ password: "another horse battery" }, { username: "mallory" }]) {
        expect(await status("PUT /users/anna", shown, json)).toBe(403);
      }
      expect(await status("PUT /users/anna", shown, { username: "anna", display_name: "A" })).toBe(
        204,
      );
    }
    expect(has()).toBe(true);
    const root = await signIn(running, "root");
    clock.pass(9 * MINUTE_MS);
    expect(await status("DELETE /users/anna/totp-secret", root)).toBe(204);
  });
});
