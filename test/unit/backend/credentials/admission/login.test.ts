import { clientIdSchema } from "@rport/protocol/ids";
import { NO_LIMITS } from "@rport/protocol/model";
import { describe, expect, it, vi } from "vitest";
import type { AcceptedLogin } from "../../../../../backend/src/credentials/admission/verdicts.ts";
import type { Credentials } from "../../../../../backend/src/credentials/credentials.ts";
import { authId, openCredentials } from "../../../../support/backend/credentials.ts";
import { keyless } from "../../../../support/backend/newcomer.ts";
import { FakeAgent } from "../../../../support/backend/sessions.ts";
import { eventually } from "../../../../support/eventually.ts";

const FLEET = authId("fleet");
const ADDRESS = "192.0.2.7";
const web = clientIdSchema.parse("web");
const other = clientIdSchema.parse("other");

async function accepted(credentials: Credentials, password: string): Promise<AcceptedLogin> {
  const login = await credentials.login(FLEET, password, ADDRESS);
  if (login.kind === "refused") throw new Error(login.why);
  return login;
}

function outcome(credentials: Credentials, password: string, address = ADDRESS): Promise<string> {
  return credentials
    .login(FLEET, password, address)
    .then((login) => (login.kind === "refused" ? login.why : login.kind));
}

describe("a login", () => {
  it("passes with the generated password, and with no other", async () => {
    await using fixture = await openCredentials();
    const { credentials } = fixture;
    const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
    expect(await outcome(credentials, password)).toBe("accepted");
    expect(
      await outcome(
        credentials,
        password.replace(/^./, (c) => (c === "A" ? "B" : "A")),
      ),
    ).toBe("wrong");
    expect(await outcome(credentials, "")).toBe("wrong");
    expect(await outcome(credentials, "x".repeat(100_000))).toBe("wrong");
    expect(await credentials.login("nobody", password, ADDRESS)).toEqual({
      kind: "refused",
      why: "unknown",
    });
  });

  it("passes with a typed password, also after a restart; hundreds at once share the work", async () => {
    await using fixture = await openCredentials();
    const typed = "correct horse battery";
    await fixture.credentials.create({ id: FLEET, password: typed, createdBy: "test" });
    const credentials = await fixture.crash();
    const logins = Array.from({ length: 300 }, () => outcome(credentials, typed));
    expect(new Set(await Promise.all(logins))).toEqual(new Set(["accepted"]));
    expect(await outcome(credentials, "correct horse batterz")).toBe("wrong");
  });

  it("is told to come back when too many passwords are being derived, from one address first", async () => {
    await using fixture = await openCredentials();
    const { credentials } = fixture;
    await credentials.create({ id: FLEET, password: "correct horse battery", createdBy: "test" });
    const flood = Array.from({ length: 30 }, (_, n) => outcome(credentials, `wrong ${n}`));
    const honest = outcome(credentials, "correct horse battery", "198.51.100.1");
    const outcomes = await Promise.all(flood);
    expect(outcomes.filter((why) => why === "busy")).toHaveLength(12);
    expect(await honest).toBe("accepted");
  });

  it("is let in beside a flood from ever other networks of one /48, which fill no queue for others", async () => {
    await using fixture = await openCredentials(undefined, { waiting_agent_passwords: 4 });
    const { credentials } = fixture;
    await credentials.create({ id: FLEET, password: "correct horse battery", createdBy: "test" });
    const flood = Array.from({ length: 30 }, (_, n) =>
      outcome(credentials, `wrong ${n}`, `2001:db8:1:${n.toString(16)}::1`),
    );
    const honest = outcome(credentials, "correct horse battery", "2001:db8:2::1");
    expect(await honest).toBe("accepted");
    const outcomes = await Promise.all(flood);
    expect(outcomes.filter((why) => why === "busy")).toHaveLength(30 - 2 - 3);
  });

  it("forgets that a typed password passed once its secret is revoked", async () => {
    await using fixture = await openCredentials();
    const { credentials } = fixture;
    const { secretId } = await credentials.create({
      id: FLEET,
      password: "correct horse battery",
      createdBy: "test",
    });
    await credentials.admit(await accepted(credentials, "correct horse battery"), keyless(web));
    await credentials.revokeSecrets([secretId]);
    expect(await outcome(credentials, "correct horse battery")).toBe("revoked");
  });

  it("never touches the disk", async () => {
    await using fixture = await openCredentials();
    const { password } = await fixture.credentials.create({ id: FLEET, createdBy: "test" });
    await fixture.store.database.close();
    expect(await outcome(fixture.credentials, password)).toBe("accepted");
  });

  it("keeps to the credential's addresses and its time", async () => {
    await using fixture = await openCredentials();
    const { credentials, clock } = fixture;
    const expires_at = new Date(clock.now() + 60_000).toISOString();
    const limits = { ...NO_LIMITS, expires_at, cidrs: ["192.0.2.0/24", "2001:db8::/32"] };
    const { password } = await credentials.create({ id: FLEET, limits, createdBy: "test" });
    expect(await outcome(credentials, password, "::ffff:192.0.2.9")).toBe("accepted");
    expect(await outcome(credentials, password, "2001:db8::7")).toBe("accepted");
    expect(await outcome(credentials, password, "203.0.113.1")).toBe("address");
    expect(await outcome(credentials, password, "not an address")).toBe("address");
    clock.advance(60_000);
    expect(await outcome(credentials, password)).toBe("expired");
  });
});

describe("a pairing's secret", () => {
  it("belongs to the first client that uses it, even when two come at once", async () => {
    await using fixture = await openCredentials();
    const { credentials, clock } = fixture;
    await credentials.create({ id: FLEET, createdBy: "test" });
    const [minted] = await credentials.mintForPairing(FLEET, 1, clock.now() + 600_000);
    const login = await accepted(credentials, minted?.secret ?? "");
    const both = await Promise.all([
      credentials.admit(login, keyless(web)),
      credentials.admit(login, keyless(other)),
    ]);
    expect(both.map((admission) => admission.kind)).toEqual(["admitted", "refused"]);
    const again = await fixture.crash();
    const second = await accepted(again, minted?.secret ?? "");
    expect(await again.admit(second, keyless(other))).toMatchObject({
      text: expect.stringContaining("belongs to another client"),
    });
    clock.advance(10 * 600_000);
    expect(await again.admit(second, keyless(web))).toMatchObject({
      secret: { origin: "pairing" },
    });
  });

  it("dies when nobody uses it in time", async () => {
    await using fixture = await openCredentials();
    const { credentials, clock } = fixture;
    await credentials.create({ id: FLEET, createdBy: "test" });
    const [minted] = await credentials.mintForPairing(FLEET, 1, clock.now() + 600_000);
    const login = await accepted(credentials, minted?.secret ?? "");
    clock.advance(600_000);
    expect(await outcome(credentials, minted?.secret ?? "")).toBe("expired");
    expect(await credentials.admit(login, keyless(web))).toMatchObject({ kind: "refused" });
    expect(credentials.get(FLEET)?.secrets_active).toBe(1);
    clock.advance(3 * 3_600_000);
    await eventually(() => expect(credentials.secrets(FLEET)).toHaveLength(1));
    expect(await outcome(credentials, minted?.secret ?? "")).toBe("wrong");
  });

  it("replaces the one the same host had before", async () => {
    await using fixture = await openCredentials();
    const { credentials, clock } = fixture;
    await credentials.create({ id: FLEET, createdBy: "test" });
    const minted = await credentials.mintForPairing(FLEET, 2, clock.now() + 600_000);
    for (const { secret } of minted) {
      await credentials.admit(await accepted(credentials, secret), keyless(web));
    }
    expect(await outcome(credentials, minted[0]?.secret ?? "")).toBe("wrong");
    expect(await outcome(credentials, minted[1]?.secret ?? "")).toBe("accepted");
  });
});

describe("a limit on clients", () => {
  it("holds for clients that arrive at the same time, and lets known ones come back", async () => {
    await using fixture = await openCredentials();
    const { credentials } = fixture;
    const limits = { ...NO_LIMITS, max_clients: 1 };
    const { password } = await credentials.create({ id: FLEET, limits, createdBy: "test" });
    const login = await accepted(credentials, password);
    const both = await Promise.all([
      credentials.admit(login, keyless(web)),
      credentials.admit(login, keyless(other)),
    ]);
    expect(both.map((admission) => admission.kind)).toEqual(["admitted", "refused"]);
    expect(both[1]).toMatchObject({ text: expect.stringContaining("at most 1 clients") });
    expect(await credentials.admit(login, keyless(web))).toMatchObject({ kind: "admitted" });
  });

  it("counts a client once, from its admission to its record and after", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const limits = { ...NO_LIMITS, max_clients: 2 };
    const { password } = await credentials.create({ id: FLEET, limits, createdBy: "test" });
    const agent = new FakeAgent(web, FLEET, password);
    (await clients.connect(credentials, agent)).cut("away");
    await clients.connect(credentials, agent);
    await clients.connect(credentials, new FakeAgent(other, FLEET, password));
    const third = clients.connect(credentials, new FakeAgent("third", FLEET, password));
    await expect(third).rejects.toThrow("at most 2 clients");
  });

  it("costs the same however many clients there are", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const limits = { ...NO_LIMITS, max_clients: 1_000 };
    const { password } = await credentials.create({ id: FLEET, limits, createdBy: "test" });
    const listed = vi.spyOn(clients.registry, "clientsOf");
    const login = await accepted(credentials, password);
    listed.mockClear();
    await credentials.admit(login, keyless(web));
    expect(listed).not.toHaveBeenCalled();
  });
});

describe("times of use", () => {
  it("are written down together, half a minute later", async () => {
    await using fixture = await openCredentials();
    const { credentials, clock, store } = fixture;
    const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
    await credentials.admit(await accepted(credentials, password), keyless(web));
    expect(credentials.get(FLEET)?.last_used_at).not.toBeNull();
    expect((await store.secretRows.all())[0]?.last_used_at).toBeNull();
    clock.advance(30_000);
    expect((await store.secretRows.all())[0]?.last_used_at).toBe(clock.now() - 30_000);
  });
});
