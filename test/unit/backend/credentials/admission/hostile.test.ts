import { NO_LIMITS } from "@rport/protocol/model";
import { describe, expect, it } from "vitest";
import { authId, openCredentials } from "../../../../support/backend/credentials.ts";
import { FakeAgent } from "../../../../support/backend/sessions.ts";
import { eventually } from "../../../../support/eventually.ts";

const FLEET = authId("fleet");
const ADDRESS = "192.0.2.7";
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MINUTE_MS = 60_000;

describe("ids that somebody made up", () => {
  it.each([
    ["NUL", "fleet\0x"],
    ["a direction mark", "fleet\u202Etxt"],
    ["a zero-width space", "fl\u200Beet"],
    ["a line separator", "fleet\u2028"],
    ["half a character", "fleet\uD800"],
    ["10 kB", "x".repeat(10_240)],
  ])(
    "are refused where a credential is made, and unknown where one signs in: %s",
    async (_, id) => {
      await using fixture = await openCredentials();
      const { credentials } = fixture;
      await credentials.create({ id: FLEET, createdBy: "test" });
      const creation = credentials.create({ id, createdBy: "test" });
      await expect(creation).rejects.toMatchObject({ code: "ERR_CODE_INVALID_REQUEST" });
      const login = await credentials.login(id, "some password", ADDRESS);
      expect(login).toEqual({ kind: "refused", why: "unknown" });
    },
  );

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty"])(
    "are ids like any other when they only look odd to a program: %s",
    async (id) => {
      await using fixture = await openCredentials();
      const { credentials, clients } = fixture;
      const unknown = await credentials.login(id, "some password", ADDRESS);
      expect(unknown).toEqual({ kind: "refused", why: "unknown" });
      const { password } = await credentials.create({ id, createdBy: "test" });
      const again = await fixture.crash();
      await clients.connect(again, new FakeAgent(id, authId(id), password));
      expect(again.get(authId(id))).toMatchObject({ id, clients_total: 1 });
      const how = { force: true, purge: true };
      expect(await again.removals.remove(authId(id), how)).toMatchObject({ disconnected: 1 });
      expect(again.get(authId(id))).toBeUndefined();
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    },
  );

  it("are unknown also with a password that is too long to be one, and others are told as ever", async () => {
    await using fixture = await openCredentials();
    const { credentials } = fixture;
    await credentials.create({ id: FLEET, createdBy: "test" });
    await credentials.create({ id: "gone", createdBy: "test" });
    await credentials.removals.remove(authId("gone"), { force: false, purge: false });
    const whyNot = async (id: string) => {
      const login = await credentials.login(id, "x".repeat(1_025), ADDRESS);
      return login.kind === "refused" ? login.why : login.kind;
    };
    expect(await whyNot("a password that somebody pasted here")).toBe("unknown");
    expect(await whyNot("gone")).toBe("deleted");
    expect(await whyNot(FLEET)).toBe("wrong");
  });

  it("never lend a password of one id to another", async () => {
    await using fixture = await openCredentials();
    const { credentials } = fixture;
    const password = "correct horse battery";
    await credentials.create({ id: FLEET, password, createdBy: "test" });
    const results = await Promise.all([
      credentials.login("fleet\0correct", "horse battery", ADDRESS),
      credentials.login(FLEET, password, ADDRESS),
      credentials.login("fleet", `\0${password}`, ADDRESS),
    ]);
    expect(results.map(({ kind }) => kind)).toEqual(["refused", "accepted", "refused"]);
  });
});

describe("F-11: somebody sets the machine's clock", () => {
  it.each([
    ["a day ahead", DAY_MS],
    ["a day back", -DAY_MS],
  ])(
    "%s: a grace lasts as long as it was meant to, and nobody is cut before",
    async (_, jumpMs) => {
      await using fixture = await openCredentials();
      const { credentials, clients, clock } = fixture;
      const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
      const agent = new FakeAgent("go", FLEET, password);
      agent.isShiftable = false;
      await clients.connect(credentials, agent);
      await credentials.rotations.start(FLEET, HOUR_MS);
      clock.jump(jumpMs);
      clock.advance(HOUR_MS - MINUTE_MS);
      expect(clients.sessions.size).toBe(1);
      await clients.connect(credentials, agent);
      expect(credentials.get(FLEET)).toMatchObject({ secrets_grace: 1 });
      clock.advance(MINUTE_MS);
      await eventually(() => expect(credentials.get(FLEET)?.rotation).toBeNull());
      expect(clients.sessions.size).toBe(0);
      await expect(clients.connect(credentials, agent)).rejects.toThrow("revoked");
    },
  );

  it.each([
    ["a day ahead", DAY_MS],
    ["a day back", -DAY_MS],
  ])("%s: a pairing's secret waits its ten minutes for its host", async (_, jumpMs) => {
    await using fixture = await openCredentials();
    const { credentials, clock } = fixture;
    await credentials.create({ id: FLEET, createdBy: "test" });
    const [minted] = await credentials.mintForPairing(FLEET, 1, clock.now() + 10 * MINUTE_MS);
    clock.jump(jumpMs);
    clock.advance(10 * MINUTE_MS - 1);
    const login = () => credentials.login(FLEET, minted?.secret ?? "", ADDRESS);
    expect(await login()).toMatchObject({ kind: "accepted" });
    clock.advance(1);
    expect(await login()).toEqual({ kind: "refused", why: "expired" });
  });

  it("a credential's own end is a date, so it follows the machine's clock both ways", async () => {
    await using fixture = await openCredentials();
    const { credentials, clock } = fixture;
    const limits = { ...NO_LIMITS, expires_at: new Date(clock.now() + HOUR_MS).toISOString() };
    const { password } = await credentials.create({ id: FLEET, limits, createdBy: "test" });
    const outcome = async () => (await credentials.login(FLEET, password, ADDRESS)).kind;
    clock.jump(DAY_MS);
    expect(await outcome()).toBe("refused");
    clock.jump(-DAY_MS);
    expect(await outcome()).toBe("accepted");
    clock.jump(-DAY_MS);
    clock.advance(HOUR_MS);
    expect(await outcome()).toBe("accepted");
  });

  it("a day back: a use is noted all the same, with the time that the clock shows", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients, clock } = fixture;
    const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
    const agent = new FakeAgent("a", FLEET, password);
    await clients.connect(credentials, agent);
    clock.jump(-DAY_MS);
    await clients.connect(credentials, agent);
    const lastUse = new Date(clock.now()).toISOString();
    expect(credentials.get(FLEET)?.last_used_at).toBe(lastUse);
    clock.advance(30_000);
    const again = await fixture.crash();
    await eventually(() => expect(again.get(FLEET)?.last_used_at).toBe(lastUse));
  });

  it("a day ahead: what is kept for a while is kept for that while", async () => {
    await using fixture = await openCredentials();
    const { credentials, clock } = fixture;
    await credentials.create({ id: FLEET, createdBy: "test" });
    await credentials.mintForPairing(FLEET, 1, clock.now() + 2 * HOUR_MS);
    clock.jump(DAY_MS);
    clock.advance(HOUR_MS);
    expect(credentials.secrets(FLEET)).toHaveLength(2);
  });
});
