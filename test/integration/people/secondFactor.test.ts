import { userNameSchema } from "@rport/protocol/people/user";
import { Secret, TOTP } from "otpauth";
import { describe, expect, it } from "vitest";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { sessionRecord } from "../../support/backend/people.ts";
import { addUser, bearer, PASSWORD, send, signIn } from "../../support/backend/person.ts";
import { ShiftedClock } from "../../support/shiftedClock.ts";

const PERIOD_MS = 30_000;

interface Factor {
  readonly secret: string;
  readonly qr: string;
  readonly uri: string;
  readonly recovery_codes: readonly string[];
}

/** An authenticator app that has the secret. */
function appOf({ secret }: Factor, clock: ShiftedClock) {
  const totp = new TOTP({ secret: Secret.fromBase32(secret) });
  return (periods = 0) => totp.generate({ timestamp: clock.now() + periods * PERIOD_MS });
}

async function startWithFactor() {
  const clock = new ShiftedClock();
  const running = await startBackend({ clock });
  await addUser(running, "anna");
  const authorization = bearer(await signIn(running, "anna"));
  const created = await send(running, "POST /me/totp-secret", { authorization });
  const factor = created.body as unknown as Factor;
  const code = appOf(factor, clock);
  const json = { token: code() };
  const confirmed = await send(running, "POST /me/totp-secret/confirm", { authorization, json });
  expect([created.status, confirmed.status]).toEqual([200, 204]);
  // The code that confirmed it is used up.
  clock.pass(PERIOD_MS);
  return {
    running,
    clock,
    factor,
    code,
    authorization,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

async function verify(running: RunningBackend, token: string, code: string) {
  const json = { username: "anna", token: code };
  const sent = { authorization: bearer(token), json };
  const { status, body } = await send(running, "POST /verify-2fa", sent);
  return { status, token: (body.data as { token?: string } | undefined)?.token ?? "" };
}

describe("the second factor", () => {
  it("is owed by whoever has one: the password alone opens nothing else", async () => {
    await using tried = await startWithFactor();
    const { running, code, factor } = tried;
    const json = { username: "anna", password: PASSWORD };
    const { body } = await send(running, "POST /login", { json });
    const { token } = body.data as { token: string };
    expect(body.data).toMatchObject({
      two_fa: { delivery_method: "totp_authenticator_app", totp_key_status: "exists", send_to: "" },
    });
    for (const [method, path] of [
      ["GET", "/me"],
      ["POST", "/me/tokens"],
      ["GET", "/status"],
    ] as const) {
      expect(
        (await send(running, `${method} ${path}`, { authorization: bearer(token) })).status,
      ).toBe(401);
    }
    const other = await send(running, "POST /me/totp-secret", { authorization: bearer(token) });
    expect(other.status).toBe(409);
    const verified = await verify(running, token, code());
    expect(verified.status).toBe(200);
    const me = await send(running, "GET /me", { authorization: bearer(verified.token) });
    expect(me.body.data).toMatchObject({ totp: true, recovery_codes: 10 });
    expect((await verify(running, token, code(1))).status).toBe(401);
    expect(Buffer.from(factor.qr, "base64").subarray(1, 4).toString()).toBe("PNG");
    expect(factor.uri).toContain("otpauth://totp/RPort:anna?");
  });

  it("takes each code once, and one of the period before or after", async () => {
    await using tried = await startWithFactor();
    const { running, clock, code } = tried;
    const tryCode = async (text: string) =>
      (await verify(running, await signIn(running, "anna"), text)).status;
    const used = code();
    expect(await tryCode(used)).toBe(200);
    expect(await tryCode(used)).toBe(401);
    expect(await tryCode(code(1))).toBe(200);
    clock.pass(20 * PERIOD_MS);
    expect(await tryCode(code(2))).toBe(401);
    expect(await tryCode(code(-2))).toBe(401);
    expect(await tryCode(code(-1))).toBe(200);
    expect(await tryCode(code(-1))).toBe(401);
  });

  it("of two who show the same code at once lets one in", async () => {
    await using tried = await startWithFactor();
    const { running, code } = tried;
    const [one, other] = [await signIn(running, "anna"), await signIn(running, "anna")];
    const both = await Promise.all([one, other].map((token) => verify(running, token, code())));
    expect(both.map(({ status }) => status).toSorted()).toEqual([200, 401]);
  });

  it("takes each recovery code once, however it is written", async () => {
    await using tried = await startWithFactor();
    const { running, factor } = tried;
    const [first = "", second = ""] = factor.recovery_codes;
    const tryCode = async (text: string) =>
      (await verify(running, await signIn(running, "anna"), text)).status;
    expect(await tryCode(` ${first.toUpperCase()} `)).toBe(200);
    expect(await tryCode(first)).toBe(401);
    expect(await tryCode(second.replace("-", ""))).toBe(200);
    expect(running.backend.accounts.users.get("anna")).toMatchObject({ recovery_codes: 8 });
  });

  it("asks for the password again after five wrong codes, and makes whoever guesses wait", async () => {
    await using tried = await startWithFactor();
    const { running, code } = tried;
    const token = await signIn(running, "anna");
    const statuses = [];
    for (let n = 0; n < 5; n += 1) statuses.push((await verify(running, token, "000000")).status);
    expect(statuses).toContain(401);
    expect((await verify(running, token, code())).status).toBeGreaterThanOrEqual(401);
  });

  it("cannot be guessed from ever other networks: a user's wrong codes count together", async () => {
    await using tried = await startWithFactor();
    const { running, factor, code } = tried;
    const { sessions, signIn: door } = running.backend.accounts;
    const user = userNameSchema.parse("anna");
    const show = async (text: string, address: string): Promise<number> => {
      const from = { address, isShared: false, userAgent: "", lifetimeS: undefined };
      // As after the password, which takes long to check.
      const { token } = await sessions.begin({ ...from, user, scope: "second-factor" });
      const checked = await sessions.check(token, address);
      if (checked?.kind !== "actor") throw new Error("no session");
      const shown = door.withCode(checked.actor, { username: user, token: text }, from);
      return await shown.then(
        () => 200,
        (caught: { status: number }) => caught.status,
      );
    };
    const right = new Set([-1, 0, 1].map(code));
    const guesses = Array.from({ length: 23 }, (_, n) => String(n).padStart(6, "0"));
    const wrong = guesses.filter((guess) => !right.has(guess)).slice(0, 20);
    const statuses = [];
    for (const [n, guess] of wrong.entries()) statuses.push(await show(guess, `192.0.2.${n}`));
    expect(new Set(statuses)).toEqual(new Set([401]));
    expect(await show(code(), "198.51.100.1")).toBe(429);
    // Whoever it is about is not locked out by that.
    expect(await show(factor.recovery_codes[0] ?? "", "198.51.100.1")).toBe(200);
  });

  it("is owed for a new password, too: without the code the old one stays, and sessions go on", async () => {
    await using tried = await startWithFactor();
    const { running, authorization, code } = tried;
    const json = { username: "anna", password: PASSWORD, new_password: "another long password" };
    const { body } = await send(running, "POST /login", { json });
    const { token } = body.data as { token: string };
    expect((await send(running, "GET /me", { authorization })).status).toBe(200);
    const again = await signIn(running, "anna", PASSWORD);
    expect(again).not.toBe("");
    expect((await verify(running, token, code())).status).toBe(200);
    expect((await send(running, "GET /me", { authorization })).status).toBe(401);
    expect((await verify(running, again, code(1))).status).toBe(401);
    expect(await signIn(running, "anna", json.new_password)).not.toBe("");
  });

  it("ends no session of somebody who has shown it, however often the password alone is", async () => {
    await using tried = await startWithFactor();
    const { running, authorization, clock } = tried;
    const at = (ms: number) => new Date(clock.now() + ms).toISOString();
    for (let n = 0; n < 60; n += 1) {
      const times = { created_at: at(n), last_access_at: at(n), expires_at: at(600_000) };
      const record = sessionRecord("anna", 1_000 + n, { scope: "second-factor", ...times });
      const user = record.username;
      await running.backend.accounts.edits.commit([{ kind: "addSession", user, record }]);
    }
    expect((await send(running, "GET /me", { authorization })).status).toBe(200);
    const sessions = running.backend.accounts.ledger.get("anna")?.sessions() ?? [];
    expect(sessions.length).toBeLessThan(20);
  });

  it("is sealed on disk, and told once", async () => {
    await using tried = await startWithFactor();
    const { running, factor, authorization } = tried;
    const kept = JSON.stringify(running.backend.accounts.ledger.get("anna")?.record);
    for (const secret of [factor.secret, ...factor.recovery_codes]) {
      expect(kept).not.toContain(secret);
      expect(running.logLines.join("\n")).not.toContain(secret);
    }
    const state = await send(running, "GET /me/totp-secret", { authorization });
    expect(state.body).toEqual({ totp_key_status: "exists" });
    const gone = await send(running, "DELETE /me/totp-secret", { authorization });
    expect(gone.status).toBe(204);
    expect((await send(running, "GET /me/totp-secret", { authorization })).status).toBe(404);
  });

  it("is given ten times at once, and then twice a minute: each takes the server some time", async () => {
    await using running = await startBackend();
    for (const name of ["anna", "eve"]) await addUser(running, name);
    const [hers, eves] = [await signIn(running, "anna"), await signIn(running, "eve")];
    const ask = async (token: string) =>
      await send(running, "POST /me/totp-secret", { authorization: bearer(token) });
    for (let n = 0; n < 10; n += 1) expect((await ask(eves)).status).toBe(200);
    const refused = await ask(eves);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("Retry-After"))).toBeLessThanOrEqual(30);
    expect((await ask(hers)).status).toBe(200);
  });

  it("is set up before anything else where everybody has to have one", async () => {
    const clock = new ShiftedClock();
    const signInRules = { passwordMinLength: 12, totpRequired: true };
    await using running = await startBackend({ clock, signIn: signInRules });
    await addUser(running, "anna");
    const json = { username: "anna", password: PASSWORD };
    const { body } = await send(running, "POST /login", { json });
    expect(body.data).toMatchObject({ two_fa: { totp_key_status: "pending" } });
    const { token } = body.data as { token: string };
    expect((await verify(running, token, "123456")).status).toBe(409);
    const authorization = bearer(token);
    const created = await send(running, "POST /me/totp-secret", { authorization });
    const code = appOf(created.body as unknown as Factor, clock);
    const verified = await verify(running, token, code());
    expect(verified.status).toBe(200);
    const me = await send(running, "GET /me", { authorization: bearer(verified.token) });
    expect(me.body.data).toMatchObject({ totp: true });
  });
});
