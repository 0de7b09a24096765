import { RportError } from "@rport/protocol/errors";
import { ADMINISTRATORS, NO_PERMISSIONS } from "@rport/protocol/people/right";
import { describe, expect, it } from "vitest";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { HOSTILE_TEXTS } from "../../support/hostileTexts.ts";
import { ShiftedClock } from "../../support/shiftedClock.ts";

const PASSWORD = "correct horse battery";

/** Makes a user; in no group unless some are named. */
async function add({ api }: RunningBackend, username: string, groups: readonly string[] = []) {
  await api("createUser", { body: { username, password: PASSWORD, groups: [...groups] } });
}

async function codeOf(call: Promise<unknown>): Promise<string | undefined> {
  return await call.then(
    () => undefined,
    (caught: unknown) => RportError.from(caught).code,
  );
}

const of = (userName: string) => ({ params: { userName } });

describe("users", () => {
  it("are made, listed by name, changed and removed, with RPort's answers", async () => {
    await using backend = await startBackend();
    const { api, raw } = backend;
    const body = { username: "zoe", password: PASSWORD, two_fa_send_to: "z@example.com" };
    expect(await raw("POST", "/users", { body })).toMatchObject({ status: 201 });
    await add(backend, "anna", [ADMINISTRATORS]);
    expect(await api("listUsers")).toMatchObject([
      { username: "anna", groups: [ADMINISTRATORS], created_by: "local", last_sign_in_at: null },
      { username: "zoe", groups: [], two_fa_send_to: "z@example.com", disabled: false },
    ]);
    const change = { display_name: "Zoë", password_expired: true };
    const path = "/users/zoe";
    expect(await raw("PUT", path, { body: change })).toMatchObject({ status: 204 });
    const users = await api("listUsers");
    expect(users[1]).toMatchObject(change);
    expect(JSON.stringify(users)).not.toMatch(/scrypt|verifier|salt/);
    expect(await raw("DELETE", path)).toMatchObject({ status: 204, body: undefined });
    expect(await raw("DELETE", path)).toMatchObject({ status: 404 });
  });

  it.each([
    ["a name that is taken", { username: "anna", password: PASSWORD }, "already"],
    ["a short password", { username: "new", password: "short" }, "at least 12 characters"],
    ["a group that is none", { username: "new", password: PASSWORD, groups: ["x"] }, '"x"'],
    ["no password", { username: "new" }, "password"],
    ["the name of the person at the machine", { username: "local", password: PASSWORD }, "local"],
  ])("are not made with %s", async (_name, body, sentence) => {
    await using backend = await startBackend();
    await add(backend, "anna");
    const { status, body: answer } = await backend.raw("POST", "/users", { body });
    expect(status).toBe(400);
    expect(JSON.stringify(answer)).toContain(sentence.replaceAll('"', '\\"'));
    expect(JSON.stringify(answer)).not.toContain("short");
    expect(await backend.api("listUsers")).toHaveLength(1);
  });

  it("have no hostile names, and what is said about those is harmless", async () => {
    await using backend = await startBackend();
    for (const username of ["", " a", "a:b", "a/b", "..", "a\u0000b", "a\u202Eb", "e\u0301"]) {
      const { status } = await backend.raw("POST", "/users", {
        body: { username, password: PASSWORD },
      });
      expect([username, status]).toEqual([username, 400]);
    }
    const odd = ["__proto__", "constructor", "<b>x", "%2e%2e", "a?b=c#d", "ключ", "🔑", "-x"];
    for (const name of odd) {
      await add(backend, name);
      await backend.api("updateUser", { ...of(name), body: { display_name: name } });
      expect(await backend.api("listUserTokens", of(name))).toEqual([]);
    }
    const names = (await backend.api("listUsers")).map(({ username }) => username);
    expect(new Set(names)).toEqual(new Set(odd));
    for (const name of odd) await backend.api("deleteUser", of(name));
    expect(await backend.api("listUsers")).toEqual([]);
  });

  it("are found by the name that they had a moment ago, by whoever shuts them out", async () => {
    const clock = new ShiftedClock();
    await using backend = await startBackend({ clock });
    for (const name of ["anna", "bob", "carl"]) await add(backend, name);
    const rename = (name: string, username: string) =>
      backend.api("updateUser", { ...of(name), body: { username } });
    const disabledOf = async (name: string) =>
      (await backend.api("listUsers")).find(({ username }) => username === name)?.disabled;
    await rename("anna", "hanna");
    await backend.api("deleteSessions", of("anna"));
    await backend.api("disableUser", of("anna"));
    expect(await disabledOf("hanna")).toBe(true);
    // Whoever has the name now is meant by it.
    await rename("bob", "rob");
    await rename("carl", "bob");
    await backend.api("disableUser", of("bob"));
    expect([await disabledOf("bob"), await disabledOf("rob")]).toEqual([true, false]);
    await backend.api("deleteUser", of("rob"));
    expect(await codeOf(backend.api("disableUser", of("rob")))).toBe("NOT_FOUND");
    clock.pass(5 * 60_000 + 1);
    expect(await codeOf(backend.api("disableUser", of("anna")))).toBe("NOT_FOUND");
  });

  it("are changed only by what says something, and only where they are", async () => {
    await using backend = await startBackend();
    await add(backend, "anna");
    const change = (name: string, body: object) =>
      codeOf(backend.api("updateUser", { ...of(name), body }));
    expect(await change("anna", {})).toBe("BAD_REQUEST");
    expect(await change("anna", { username: "anna", password: "" })).toBe("BAD_REQUEST");
    expect(await change("bob", { display_name: "Bob" })).toBe("NOT_FOUND");
    for (const call of [
      "listSessions",
      "deleteSessions",
      "listUserTokens",
      "enableUser",
    ] as const) {
      expect(await codeOf(backend.api(call, of("bob")))).toBe("NOT_FOUND");
    }
    expect(await codeOf(backend.api("disableUser", of("bob")))).toBe("NOT_FOUND");
    expect(await codeOf(backend.api("listKnownSecrets", of("bob")))).toBe("NOT_FOUND");
    expect(await codeOf(backend.api("deleteUserTotp", of("anna")))).toBe("NOT_FOUND");
    const session = { params: { userName: "anna", sessionId: "7" } };
    expect(await codeOf(backend.api("deleteSession", session))).toBe("NOT_FOUND");
    const token = { params: { userName: "anna", prefix: "abcdefgh" } };
    expect(await codeOf(backend.api("deleteUserToken", token))).toBe("NOT_FOUND");
  });

  it("never lose their last administrator, however many ask at once", async () => {
    await using backend = await startBackend();
    const { api } = backend;
    await add(backend, "anna", [ADMINISTRATORS]);
    await add(backend, "bob", [ADMINISTRATORS]);
    await add(backend, "eve");
    await api("disableUser", of("bob"));
    const all = [
      api("deleteUser", of("anna")),
      api("disableUser", of("anna")),
      api("updateUser", { ...of("anna"), body: { groups: [] } }),
    ];
    expect(await Promise.all(all.map(codeOf))).toEqual(["CONFLICT", "CONFLICT", "CONFLICT"]);
    await api("enableUser", of("bob"));
    const both = ["anna", "bob"].map((name) => codeOf(api("deleteUser", of(name))));
    expect((await Promise.all(both)).sort()).toEqual(["CONFLICT", undefined].sort());
    const left = (await api("listUsers")).filter(({ groups }) => groups.length > 0);
    expect(left).toHaveLength(1);
  });

  it("keep what two administrators change of them at once", async () => {
    await using backend = await startBackend();
    const { api } = backend;
    await add(backend, "anna");
    await api("putUserGroup", {
      params: { groupName: "ops" },
      body: { permissions: { tunnels: true } },
    });
    const changes = [
      { display_name: "Anna" },
      { groups: ["ops"] },
      { two_fa_send_to: "anna@example.com" },
    ];
    await Promise.all(changes.map((body) => api("updateUser", { ...of("anna"), body })));
    expect(await api("listUsers")).toMatchObject([Object.assign({}, ...changes)]);
    const names = ["anya", "anka"].map((username) =>
      codeOf(api("updateUser", { ...of("anna"), body: { username } })),
    );
    expect((await Promise.all(names)).filter((code) => code === undefined)).toHaveLength(1);
    expect(await api("listUsers")).toHaveLength(1);
  });
});

describe("groups of users", () => {
  it("are made, read, changed and removed; whoever is in one that goes leaves it", async () => {
    await using backend = await startBackend();
    const { api } = backend;
    const params = { groupName: "ops" };
    const permissions = { tunnels: true };
    const made = await api("putUserGroup", { params, body: { permissions } });
    expect(made).toEqual({ name: "ops", permissions: { ...NO_PERMISSIONS, tunnels: true } });
    expect((await api("listUserGroups")).map(({ name }) => name)).toEqual([ADMINISTRATORS, "ops"]);
    await api("putUserGroup", { params, body: { permissions: { auditlog: true } } });
    expect((await api("getUserGroup", { params })).permissions).toMatchObject({
      tunnels: false,
      auditlog: true,
    });
    await add(backend, "anna", ["ops"]);
    await api("deleteUserGroup", { params });
    expect(await api("listUsers")).toMatchObject([{ username: "anna", groups: [] }]);
    expect(await codeOf(api("deleteUserGroup", { params }))).toBe("NOT_FOUND");
    expect(await codeOf(api("getUserGroup", { params }))).toBe("NOT_FOUND");
  });

  it("leave Administrators as it is", async () => {
    await using backend = await startBackend();
    const params = { groupName: ADMINISTRATORS };
    const body = { permissions: {} };
    expect(await codeOf(backend.api("putUserGroup", { params, body }))).toBe("CONFLICT");
    expect(await codeOf(backend.api("deleteUserGroup", { params }))).toBe("CONFLICT");
    const { permissions } = await backend.api("getUserGroup", { params });
    expect(Object.values(permissions)).not.toContain(false);
  });

  it("give only permissions that there are", async () => {
    await using backend = await startBackend();
    const body = { permissions: { everything: true } };
    const { status } = await backend.raw("PUT", "/user-groups/ops", { body });
    expect(status).toBe(400);
  });
});

describe("the audit log", () => {
  it("says what was done with people, and no secret", async () => {
    await using backend = await startBackend();
    const { api } = backend;
    await add(backend, "anna", [ADMINISTRATORS]);
    await add(backend, "bob");
    const password = "another long password";
    await api("updateUser", { ...of("bob"), body: { username: "bobby", password } });
    await api("disableUser", { ...of("bobby"), query: { dry_run: "true" } });
    await api("disableUser", of("bobby"));
    await api("enableUser", of("bobby"));
    const token = { name: "script", scope: "read" as const };
    const made = await api("createUserToken", { ...of("bobby"), body: token });
    const { code } = await api("createInvitation", { body: { groups: [ADMINISTRATORS] } });
    const accept = { code, username: "carl", password, token_name: "laptop" };
    const carl = await api("acceptInvitation", { body: accept });
    await api("deleteUser", of("bobby"));
    const query = { "filter[application]": "auth.user*", sort: "timestamp", "page[limit]": "100" };
    const { body } = await backend.raw("GET", "/auditlog", { query });
    const text = JSON.stringify(body);
    const rows = (body as { data: Record<string, string>[] }).data;
    expect(rows.map((row) => `${row.application} ${row.action} ${row.affected_id}`)).toEqual([
      "auth.user create anna",
      "auth.user create bob",
      "auth.user update bob",
      "auth.user disable bobby",
      "auth.user enable bobby",
      `auth.user.me.token create ${made.prefix}`,
      expect.stringMatching(/^auth\.user\.invitation create /),
      "auth.user.invitation accept carl",
      "auth.user delete bobby",
    ]);
    expect(rows.find(({ action }) => action === "disable")?.response).toContain('"tokens":0');
    for (const secret of [PASSWORD, password, made.token, code, carl.token]) {
      expect(text).not.toContain(secret);
      expect(backend.logLines.join("\n")).not.toContain(secret);
    }
  });
});

describe("invitations", () => {
  it("make whoever knows the code a user with a token, once", async () => {
    await using backend = await startBackend();
    const { api, page } = backend;
    await api("putUserGroup", { params: { groupName: "ops" }, body: { permissions: {} } });
    const body = { groups: ["ops"], display_name: "Anna B." };
    const { id, code } = await api("createInvitation", { body });
    expect(await api("listInvitations")).toMatchObject([
      { id, groups: ["ops"], display_name: "Anna B.", created_by: "local" },
    ]);
    const accept = (more: object) =>
      page("/api/v1/invitations/accept", {
        code: code.toLowerCase().replaceAll("-", " "),
        username: "anna",
        password: PASSWORD,
        token_name: "laptop",
        ...more,
      });
    // What is mistyped costs nothing but another try.
    expect(await accept({ password: "short" })).toMatchObject({ status: 400 });
    expect(await accept({ username: "a:b" })).toMatchObject({ status: 400 });
    expect(await accept({ username: "local" })).toMatchObject({ status: 400 });
    await add(backend, "taken");
    expect(await accept({ username: "taken" })).toMatchObject({ status: 409 });
    await api("deleteUser", of("taken"));
    const both = await Promise.all([accept({}), accept({ username: "bob" })]);
    expect(both.map(({ status }) => status).sort()).toEqual([201, 404]);
    const users = await api("listUsers");
    expect(users).toMatchObject([{ groups: ["ops"], display_name: "Anna B.", tokens: 1 }]);
    expect(await api("listInvitations")).toEqual([]);
    expect(await accept({ username: "carl" })).toMatchObject({ status: 404 });
  });

  it("are revoked, and give no group that is gone", async () => {
    await using backend = await startBackend();
    const { api, page } = backend;
    await api("putUserGroup", { params: { groupName: "ops" }, body: { permissions: {} } });
    const one = await api("createInvitation", { body: { groups: ["ops"] } });
    const other = await api("createInvitation", { body: { groups: ["ops"] } });
    await api("deleteInvitation", { params: { invitationId: one.id } });
    await api("deleteUserGroup", { params: { groupName: "ops" } });
    const accept = (code: string) =>
      page("/api/v1/invitations/accept", {
        code,
        username: "anna",
        password: PASSWORD,
        token_name: "laptop",
      });
    expect(await accept(one.code)).toMatchObject({ status: 404 });
    expect(await accept(other.code)).toMatchObject({ status: 201 });
    expect(await api("listUsers")).toMatchObject([{ username: "anna", groups: [] }]);
    const again = { params: { invitationId: other.id } };
    expect(await codeOf(api("deleteInvitation", again))).toBe("INVITATION_NOT_FOUND");
  });

  it("tell a guesser nothing, and let nobody guess for long", async () => {
    await using backend = await startBackend();
    await add(backend, "anna");
    const guess = (username: string) =>
      backend.page("/api/v1/invitations/accept", {
        code: "0000-0000-0000",
        username,
        password: PASSWORD,
        token_name: "x",
      });
    const [known, unknown] = [await guess("anna"), await guess("nobody")];
    expect(known.status).toBe(404);
    expect(String(known.bytes)).toBe(String(unknown.bytes));
    for (let count = 2; count < 10; count += 1) await guess("x");
    const late = await guess("x");
    expect(late.status).toBe(429);
    expect(Number(late.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  it("take hostile texts for what they are", async () => {
    await using backend = await startBackend();
    const { api } = backend;
    for (const display_name of HOSTILE_TEXTS.slice(0, 20)) {
      const { status } = await backend.raw("POST", "/invitations", { body: { display_name } });
      expect([201, 400]).toContain(status);
    }
    expect(JSON.stringify(await api("listInvitations"))).not.toContain("\\u0000");
  });
});
