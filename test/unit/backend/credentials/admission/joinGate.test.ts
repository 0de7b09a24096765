import type { CredentialLimitsChange } from "@rport/protocol/model";
import { NO_LIMITS } from "@rport/protocol/model";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  IMPATIENT_MS,
  type Newcomer,
  WAIT_MS,
} from "../../../../../backend/src/credentials/admission/waitingRoom.ts";
import type { SetLimits } from "../../../../../backend/src/limits/limitTable.ts";
import { authId, noPairings, openCredentials } from "../../../../support/backend/credentials.ts";
import { logIn, newcomerOf } from "../../../../support/backend/newcomer.ts";
import { FakeAgent } from "../../../../support/backend/sessions.ts";
import { eventually } from "../../../../support/eventually.ts";

const FLEET = authId("fleet");
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** One credential with these limits, and what its hosts sign in with. */
async function gate(limits: CredentialLimitsChange, serverLimits: SetLimits = {}) {
  const fixture = await openCredentials(noPairings, serverLimits);
  onTestFinished(() => fixture[Symbol.asyncDispose]());
  const { credentials } = fixture;
  const about = { label: "", kind: "fleet" as const, createdBy: "test" };
  const given = { ...NO_LIMITS, ...limits } as typeof NO_LIMITS;
  const { password, secretId } = await credentials.create({ id: FLEET, ...about, limits: given });
  const login = await logIn(credentials, FLEET, password);
  const join = (newcomer: Newcomer) => credentials.join(login, newcomer);
  /** The word under which a refusal is listed; "in" when there is none. */
  const why = async (newcomer: Newcomer) => (await join(newcomer))?.why ?? "in";
  const listed = () => credentials.joins.list().map(({ client_id }) => client_id);
  return { ...fixture, login, secretId, why, listed, desk: credentials.joins };
}

/** Lets everything that waits for nothing but its turn go on. */
async function turns(): Promise<void> {
  for (let n = 0; n < 20; n += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe("the rate of first joins", () => {
  it("lets so many in at once and per minute, and known clients always", async () => {
    const { why, clock, clients, login } = await gate({ joins_per_minute: 6 });
    for (let n = 0; n < 6; n += 1) expect(await why(newcomerOf(`host-${n}`))).toBe("in");
    expect(await why(newcomerOf("host-6"))).toBe("join-rate");
    const known = newcomerOf("known");
    const { credentialId, secretId } = login;
    await clients.record(known.clientId, { authId: credentialId, secretId });
    expect(await why(known)).toBe("in");
    clock.advance(MINUTE_MS / 6 - 1);
    expect(await why(newcomerOf("host-6"))).toBe("join-rate");
    clock.advance(1);
    expect(await why(newcomerOf("host-6"))).toBe("in");
    expect(await why(newcomerOf("host-7"))).toBe("join-rate");
    clock.advance(HOUR_MS);
    for (let n = 0; n < 6; n += 1) expect(await why(newcomerOf(`later-${n}`))).toBe("in");
    expect(await why(newcomerOf("later-6"))).toBe("join-rate");
  });

  it("S-01: is 300 at once and 100 a minute unless somebody set another, which counts at once", async () => {
    const { why, credentials, clock } = await gate({});
    for (let n = 0; n < 300; n += 1) expect(await why(newcomerOf(`host-${n}`))).toBe("in");
    clock.advance(MINUTE_MS);
    for (let n = 0; n < 100; n += 1) expect(await why(newcomerOf(`later-${n}`))).toBe("in");
    expect(await why(newcomerOf("host-300"))).toBe("join-rate");
    await credentials.update(FLEET, { limits: { joins_per_minute: 302 } });
    for (const host of ["host-300", "host-301"]) expect(await why(newcomerOf(host))).toBe("in");
    expect(await why(newcomerOf("host-302"))).toBe("join-rate");
  });
});

describe("a pairing's secret", () => {
  it("S-01: lets its host in while a thief takes every first join of the credential", async () => {
    const { why, credentials, clock, listed } = await gate({});
    for (let n = 0; n < 300; n += 1) await why(newcomerOf(`fake-${n}`));
    expect(await why(newcomerOf("fake"))).toBe("join-rate");
    const [minted] = await credentials.mintForPairing(FLEET, 1, clock.now() + HOUR_MS);
    const login = await logIn(credentials, FLEET, minted?.secret ?? "");
    expect(await credentials.join(login, newcomerOf("host"))).toBeUndefined();
    expect(await why(newcomerOf("fake"))).toBe("join-rate");
    expect(listed()).toEqual([]);
  });
});

describe("a flood", () => {
  it("S-01: of a credential without a limit of its own lets in ten a minute until it is over", async () => {
    const { why, clock, credentials, floods } = await gate({});
    let count = 0;
    const comes = async (): Promise<string> => await why(newcomerOf(`host-${count++}`));
    const areIn = async (most: number): Promise<number> => {
      for (let n = 0; n < most; n += 1) if ((await comes()) !== "in") return n;
      return most;
    };
    expect(await areIn(1_000)).toBe(300);
    let day = 0;
    for (let minute = 0; minute < 24 * 60; minute += 1) {
      clock.advance(MINUTE_MS);
      day += await areIn(100);
    }
    expect(day).toBe(14_400);
    expect(floods.map(({ why: kind }) => kind)).toEqual(["many-joins", "join-rate"]);
    clock.advance(HOUR_MS);
    expect(credentials.get(FLEET)?.flooded_at).toBeNull();
    expect(await areIn(300)).toBe(300);
    clock.advance(MINUTE_MS);
    expect(await areIn(100)).toBe(100);
  }, 60_000);

  it("S-01: is pointed out before anybody is refused, once, and slows nobody down", async () => {
    const { why, clock, credentials, floods, touched } = await gate({});
    for (let n = 0; n < 200; n += 1) expect(await why(newcomerOf(`host-${n}`))).toBe("in");
    expect(floods).toEqual([]);
    touched.length = 0;
    const since = new Date(clock.now()).toISOString();
    for (let n = 0; n < 100; n += 1) expect(await why(newcomerOf(`more-${n}`))).toBe("in");
    expect(floods).toMatchObject([{ credentialId: FLEET, why: "many-joins", clientId: "more-0" }]);
    expect(touched).toEqual([`credential ${FLEET}`]);
    expect(credentials.get(FLEET)).toMatchObject({ flooded_at: null, crowded_at: since });
    clock.advance(MINUTE_MS);
    for (let n = 0; n < 100; n += 1) expect(await why(newcomerOf(`later-${n}`))).toBe("in");
    clock.advance(HOUR_MS);
    expect(credentials.get(FLEET)?.crowded_at).toBeNull();
    expect(floods).toHaveLength(1);
  });

  it("S-01: is not what a few hosts a minute make, nor as many as somebody set", async () => {
    const slow = await gate({});
    for (let n = 0; n < 600; n += 1) {
      expect(await slow.why(newcomerOf(`host-${n}`))).toBe("in");
      slow.clock.advance(MINUTE_MS / 15);
    }
    expect(slow.floods).toEqual([]);
    const set = await gate({ joins_per_minute: 500 });
    for (let n = 0; n < 500; n += 1) expect(await set.why(newcomerOf(`host-${n}`))).toBe("in");
    expect(set.floods).toEqual([]);
  });

  it("S-01: is also what comes beyond the room for a credential's records; known clients come", async () => {
    const { why, clients, login, floods } = await gate({}, { record_bytes_per_credential: 500 });
    const known = newcomerOf("known");
    const { credentialId, secretId } = login;
    await clients.record(known.clientId, { authId: credentialId, secretId });
    expect(await why(newcomerOf("new"))).toBe("credential-full");
    expect(await why(newcomerOf("newer"))).toBe("credential-full");
    expect(await why(known)).toBe("in");
    expect(floods).toMatchObject([{ why: "credential-full", clientId: "new" }]);
  });

  it("S-01: is not what a full server refuses", async () => {
    const { why, clients, login, floods } = await gate({}, { clients: 1 });
    const known = newcomerOf("known");
    const { credentialId, secretId } = login;
    await clients.record(known.clientId, { authId: credentialId, secretId });
    expect(await why(newcomerOf("new"))).toBe("server-full");
    expect(await why(known)).toBe("in");
    expect(floods).toEqual([]);
  });

  it("S-01: changes nothing about a rate that somebody set", async () => {
    const { why, clock } = await gate({ joins_per_minute: 60 });
    for (let n = 0; n < 60; n += 1) expect(await why(newcomerOf(`host-${n}`))).toBe("in");
    expect(await why(newcomerOf("more"))).toBe("join-rate");
    clock.advance(MINUTE_MS);
    for (let n = 0; n < 60; n += 1) expect(await why(newcomerOf(`later-${n}`))).toBe("in");
  });

  it("S-01: is told once, however many come and however long it lasts, until it is quiet", async () => {
    const { why, clock, credentials, touched, floods } = await gate({ joins_per_minute: 1 });
    expect(await why(newcomerOf("host"))).toBe("in");
    const since = new Date(clock.now()).toISOString();
    touched.length = 0;
    for (let n = 0; n < 1_000; n += 1) {
      expect(await why(newcomerOf(`fake-${n}`))).toBe("join-rate");
    }
    expect(touched).toEqual([`credential ${FLEET}`]);
    expect(floods).toMatchObject([
      { credentialId: FLEET, why: "join-rate", clientId: "fake-0", address: "192.0.2.7" },
    ]);
    expect(credentials.get(FLEET)?.flooded_at).toBe(since);
    clock.advance(HOUR_MS - 1);
    await why(newcomerOf("taken"));
    expect(await why(newcomerOf("one-more"))).toBe("join-rate");
    clock.advance(HOUR_MS - 1);
    expect(credentials.get(FLEET)?.flooded_at).toBe(since);
    expect(floods).toHaveLength(1);
    clock.advance(1);
    expect(credentials.get(FLEET)?.flooded_at).toBeNull();
    expect(touched.filter((one) => one.startsWith("credential"))).toHaveLength(2);
    await why(newcomerOf("again"));
    expect(await why(newcomerOf("again-2"))).toBe("join-rate");
    expect(floods).toHaveLength(2);
  });

  it("is also what comes beyond max_clients; the next limit counts for the next client", async () => {
    const { why, credentials, clients, login, floods } = await gate({ max_clients: 1 });
    const first = newcomerOf("first");
    await clients.record(first.clientId, { authId: FLEET, secretId: login.secretId });
    expect(await why(newcomerOf("second"))).toBe("too-many-clients");
    expect(floods).toMatchObject([{ why: "too-many-clients", clientId: "second" }]);
    expect(await why(first)).toBe("in");
    await credentials.update(FLEET, { limits: { max_clients: 2 } });
    expect(await why(newcomerOf("second"))).toBe("in");
    await credentials.update(FLEET, { limits: { max_clients: 1 } });
    expect(await why(first)).toBe("in");
  });

  it("leaves nothing of a deleted credential behind", async () => {
    const { why, clock, credentials } = await gate({ joins_per_minute: 1 });
    for (const host of ["a", "b"]) await why(newcomerOf(host));
    const before = clock.timers;
    await credentials.removals.remove(FLEET, { force: true, purge: false });
    expect(clock.timers).toBeLessThan(before);
  });
});

describe("approval", () => {
  it("holds a client until it is approved; one that is known is not asked about", async () => {
    const { why, listed, desk, clients, login } = await gate({ approval: true });
    const host = newcomerOf("host");
    const end = why(host);
    await turns();
    expect(listed()).toEqual(["host"]);
    expect(host.helds()).toBe(1);
    desk.approve(desk.list()[0]?.id ?? "");
    expect(await end).toBe("in");
    expect(listed()).toEqual([]);
    await clients.record(host.clientId, { authId: FLEET, secretId: login.secretId });
    expect(await why(newcomerOf("host"))).toBe("in");
  });

  it("is over after ten minutes without an answer", async () => {
    const { why, listed, clock } = await gate({ approval: true });
    const end = why(newcomerOf("host"));
    await turns();
    clock.advance(WAIT_MS - 1);
    expect(listed()).toEqual(["host"]);
    clock.advance(1);
    expect(await end).toBe("not-approved");
    expect(listed()).toEqual([]);
  });

  it("C-40: answers a client that cannot wait before it gives up, and counts at its next try", async () => {
    const { why, listed, desk, clock } = await gate({ approval: true });
    const go = { isPatient: false };
    const first = why(newcomerOf("host", go));
    await turns();
    clock.advance(IMPATIENT_MS);
    expect(await first).toBe("not-approved");
    const [before] = desk.list();
    clock.advance(5 * MINUTE_MS);
    const second = why(newcomerOf("host", go));
    await turns();
    const [join] = desk.list();
    expect(join).toMatchObject({ id: before?.id, at: before?.at });
    expect(Date.parse(join?.expires_at ?? "")).toBe(clock.now() + WAIT_MS);
    clock.advance(IMPATIENT_MS);
    expect(await second).toBe("not-approved");
    desk.approve(join?.id ?? "");
    expect(listed()).toEqual([]);
    expect(await why(newcomerOf("host", go))).toBe("in");
    clock.advance(HOUR_MS);
    void why(newcomerOf("host", go));
    await turns();
    expect(listed()).toEqual(["host"]);
  });

  it("of one host is none of another that takes its name", async () => {
    const { why, listed, desk } = await gate({ approval: true });
    const end = why(newcomerOf("host", { hostKey: "key-1" }));
    await turns();
    desk.approve(desk.list()[0]?.id ?? "");
    expect(await end).toBe("in");
    void why(newcomerOf("host", { hostKey: "key-2" }));
    void why(newcomerOf("host", { address: "198.51.100.9" }));
    await turns();
    expect(listed()).toEqual(["host", "host"]);
  });

  it("that was denied is remembered for an hour", async () => {
    const { why, desk, listed, clock } = await gate({ approval: true });
    const end = why(newcomerOf("host"));
    await turns();
    desk.deny(desk.list()[0]?.id ?? "");
    expect(await end).toBe("not-approved");
    clock.advance(HOUR_MS - 1);
    expect(await why(newcomerOf("host"))).toBe("not-approved");
    expect(listed()).toEqual([]);
    clock.advance(1);
    void why(newcomerOf("host"));
    await turns();
    expect(listed()).toEqual(["host"]);
  });

  it("S-01: holds a hundred clients of a credential, and no more; a flood costs no more", async () => {
    const { why, listed, floods } = await gate({ approval: true });
    for (let n = 0; n < 100; n += 1) void why(newcomerOf(`host-${n}`));
    await turns();
    for (let n = 100; n < 1_000; n += 1) {
      expect(await why(newcomerOf(`host-${n}`))).toBe("join-rate");
    }
    expect(listed()).toHaveLength(100);
    expect(floods).toHaveLength(1);
  });

  it("S-01: is asked for by whoever shows another secret than the hundred who wait", async () => {
    const { why, credentials, clock, listed } = await gate({ approval: true });
    for (let n = 0; n < 100; n += 1) void why(newcomerOf(`fake-${n}`));
    await turns();
    const [minted] = await credentials.mintForPairing(FLEET, 1, clock.now() + HOUR_MS);
    const login = await logIn(credentials, FLEET, minted?.secret ?? "");
    void credentials.join(login, newcomerOf("host"));
    await eventually(() => expect(listed()).toContain("host"));
    expect(listed()).toHaveLength(100);
    expect(listed()).not.toContain("fake-99");
    expect(await why(newcomerOf("fake-99"))).toBe("join-rate");
  });

  it("S-01: is asked for from another network than the hundred with the same secret", async () => {
    const { why, listed } = await gate({ approval: true });
    const early = why(newcomerOf("early", { address: "198.51.100.7" }));
    for (let n = 0; n < 99; n += 1) void why(newcomerOf(`fake-${n}`));
    await turns();
    void why(newcomerOf("host", { address: "198.51.100.9" }));
    await turns();
    expect(listed()).toHaveLength(100);
    expect(listed()).toEqual(expect.arrayContaining(["early", "host"]));
    expect(await why(newcomerOf("fake-99"))).toBe("join-rate");
    expect(await Promise.race([early, "waits"])).toBe("waits");
  });

  it("keeps two connections of one client, and lets the oldest go", async () => {
    const { why, listed } = await gate({ approval: true });
    const ends: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      void why(newcomerOf("host")).then((end) => ends.push(`${n} ${end}`));
      await turns();
    }
    expect(ends).toEqual(["0 not-approved"]);
    expect(listed()).toEqual(["host"]);
  });

  it("keeps no connection that has ended", async () => {
    const { why } = await gate({ approval: true });
    const host = newcomerOf("host");
    const end = why(host);
    await turns();
    host.leave();
    expect(await end).toBe("not-approved");
  });

  it("is refused to those that would be too many", async () => {
    const { why, desk, clients, login } = await gate({ approval: true, max_clients: 1 });
    const ends = ["one", "two"].map((id) => why(newcomerOf(id)));
    await turns();
    const [one, two] = desk.list();
    desk.approve(one?.id ?? "");
    expect(await ends[0]).toBe("in");
    await clients.record(newcomerOf("one").clientId, { authId: FLEET, secretId: login.secretId });
    expect(() => desk.approve(two?.id ?? "")).toThrow(/at most 1 client/);
    expect(await why(newcomerOf("three"))).toBe("too-many-clients");
    expect(desk.list()).toHaveLength(1);
  });

  it("binds a single-use secret before anybody is asked", async () => {
    const { credentials, clock, desk } = await gate({ approval: true });
    const [minted] = await credentials.mintForPairing(FLEET, 1, clock.now() + 600_000);
    const login = await logIn(credentials, FLEET, minted?.secret ?? "");
    void credentials.join(login, newcomerOf("host"));
    const other = await credentials.join(login, newcomerOf("other"));
    expect(other?.why).toBe("bound-to-other-client");
    expect(desk.list().map(({ client_id }) => client_id)).toEqual(["host"]);
    const rows = credentials.secrets(FLEET).map(({ client_id }) => client_id);
    expect(rows).toContain("host");
  });

  it.each<[string, (of: Awaited<ReturnType<typeof gate>>) => Promise<unknown>, string]>([
    [
      "the credential is deleted",
      ({ credentials }) => credentials.removals.remove(FLEET, { force: true, purge: false }),
      "revoked-credential",
    ],
    [
      "its secret is revoked",
      ({ credentials, secretId }) => credentials.revocations.secret(FLEET, secretId),
      "revoked-secret",
    ],
    [
      "no approval is needed any more",
      ({ credentials }) => credentials.update(FLEET, { limits: { approval: false } }),
      "in",
    ],
  ])("C-36: is over at once when %s", async (_what, change, expected) => {
    const of = await gate({ approval: true });
    const end = of.why(newcomerOf("host"));
    await turns();
    expect(of.listed()).toEqual(["host"]);
    await change(of);
    expect(await end).toBe(expected);
    expect(of.listed()).toEqual([]);
  });

  it("C-36: that comes at the moment of a deletion lets nobody in", async () => {
    const { why, desk, credentials } = await gate({ approval: true });
    const end = why(newcomerOf("host"));
    await turns();
    const removal = credentials.removals.remove(FLEET, { force: true, purge: false });
    for (const { id } of desk.list()) desk.approve(id);
    await removal;
    const outcome = await end;
    const login = { kind: "accepted", credentialId: FLEET, secretId: "gone" } as never;
    // Whichever was first: what comes after the approval looks again.
    expect(["in", "revoked-credential"]).toContain(outcome);
    const admission = await credentials.admit(login, newcomerOf("host"));
    expect(admission.kind).toBe("refused");
  });
});

describe("a host with a secret of its own", () => {
  /** One that was paired, and is away. */
  async function paired(limits: CredentialLimitsChange) {
    const fixture = await gate(limits);
    const { credentials, clients, clock } = fixture;
    const [minted] = await credentials.mintForPairing(FLEET, 1, clock.now() + HOUR_MS);
    const host = new FakeAgent("host-x", FLEET, minted?.secret ?? "");
    (await clients.connect(credentials, host)).cut("away");
    return { ...fixture, host };
  }

  it("keeps its place after somebody came under its id with another credential", async () => {
    const { credentials, clients, host, login } = await paired({ max_clients: 1, approval: true });
    const elsewhere = { authId: authId("other"), secretId: login.secretId };
    await clients.record(host.clientId, elsewhere);
    await clients.record(newcomerOf("second").clientId, { ...elsewhere, authId: FLEET });
    const own = await logIn(credentials, FLEET, host.password);
    const end = credentials.join(own, newcomerOf("host-x"));
    await turns();
    const [asked] = credentials.joins.list();
    expect(asked).toMatchObject({ reason: "other-credential", known_credential_id: "other" });
    credentials.joins.approve(asked?.id ?? "");
    expect(await end).toBeUndefined();
    expect(await clients.connect(credentials, host)).toMatchObject({ clientId: host.clientId });
    await clients.record(host.clientId, elsewhere);
    await credentials.revocations.secret(FLEET, own.secretId);
    const shared = await credentials.join(login, newcomerOf("host-x"));
    expect(shared).toMatchObject({ why: "too-many-clients" });
  });

  it("cannot ask for the id of another host, also not of a known one", async () => {
    const { credentials, clients, host, login } = await paired({});
    const { credentialId, secretId } = login;
    const victim = newcomerOf("victim");
    await clients.record(victim.clientId, { authId: credentialId, secretId });
    const own = await logIn(credentials, FLEET, host.password);
    expect(await credentials.join(own, victim)).toMatchObject({ why: "bound-to-other-client" });
  });
});
