import { RportError } from "@rport/protocol/errors";
import { authIdSchema, clientIdSchema, type PairingId, secretIdSchema } from "@rport/protocol/ids";
import { type ClaimRequest, PAIRING_REFUSED, pairingTokenSchema } from "@rport/protocol/pairing";
import type { ReportedFacts } from "@rport/protocol/pairing/report";
import {
  claimProof,
  newPairingToken,
  reportProof,
  tokenParts,
  unseal,
} from "@rport/protocol/sealing";
import { beforeEach, describe, expect, it } from "vitest";
import { Limits } from "../../../../backend/src/limits/limits.ts";
import { PairingService } from "../../../../backend/src/pairing/pairingService.ts";
import { Pairings } from "../../../../backend/src/pairing/pairings.ts";
import { EmbeddedTarget } from "../../../../backend/src/pairing/targets/embedded.ts";
import { Targets } from "../../../../backend/src/pairing/targets/targets.ts";
import { createLog } from "../../../../backend/src/platform/log.ts";
import { unheardPairingEvents } from "../../../support/backend/noAudit.ts";
import { FakeClock } from "../../../support/clock.ts";

const CREDENTIAL = authIdSchema.parse("fleet-1");
const SHA256 = "a".repeat(64);
const FINGERPRINT = `SHA256:${"A".repeat(43)}`;
const ORIGIN = "https://rport.example.com";
const ADDRESS = "192.0.2.1";

let clock: FakeClock;
let service: PairingService;
let pairings: Pairings;
let target: EmbeddedTarget;
let minted: string[];
let expiries: number[];
let revoked: string[];
let touched: string[];
let lines: string[];
let available: readonly string[];

beforeEach(() => {
  clock = new FakeClock();
  minted = [];
  expiries = [];
  revoked = [];
  touched = [];
  lines = [];
  available = [];
  const log = createLog({ clock, sink: (line) => lines.push(line), level: "debug" });
  target = new EmbeddedTarget({ scriptSha256: () => SHA256, targets: () => available, clock, log });
  const targets = new Targets(target);
  const events = unheardPairingEvents();
  const touch = (_entity: string, id: string) => touched.push(id);
  pairings = new Pairings({ targets, clock, log, touch, events });
  service = new PairingService({
    limits: new Limits({ clock, log }),
    targets,
    pairings,
    credentials: {
      mintForPairing: async (_id, count, expiresAt) => {
        expiries.push(expiresAt);
        return Array.from({ length: count }, () => {
          const secret = `secret-${String(minted.length).padStart(20, "0")}`;
          minted.push(secret);
          return { secretId: secretIdSchema.parse(`id-${secret}`), secret };
        });
      },
      requireUsable: () => undefined,
      revokeSecrets: async (ids) => void revoked.push(...ids),
    },
    fingerprint: FINGERPRINT,
    serverUrls: [],
    clock,
    log,
    events,
  });
});

const create = (
  change: {
    uses?: number;
    ttlS?: number;
    name?: string;
    tags?: string[];
    hostname?: string;
    serverUrl?: string;
  } = {},
) =>
  service.create({
    credentialId: CREDENTIAL,
    uses: 1,
    name: "",
    tags: [],
    hostname: "",
    service: "configured",
    origin: ORIGIN,
    ...change,
  });

const from = (address: string) => ({ address, isShared: false });

const claimant = (n: number) => Buffer.alloc(16, n).toString("base64url");

function claimOf(token: string, n = 1): ClaimRequest {
  const parts = tokenParts(pairingTokenSchema.parse(token));
  return {
    id: parts.id,
    claimant: claimant(n),
    proof: claimProof(parts, claimant(n)),
    client_id: clientIdSchema.parse(`machine-${n}`),
    hostname: `host-${n}`,
  };
}

async function codeOf(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
    return "accepted";
  } catch (error) {
    if (error instanceof RportError && error.code === "PAIRING_NOT_FOUND") {
      expect(error.message).toBe(PAIRING_REFUSED);
    }
    return error instanceof RportError ? error.code : String(error);
  }
}

const open = async (token: string, n = 1, address = ADDRESS) => {
  const { envelope } = await target.deposits.claim(claimOf(token, n), from(address));
  return unseal(tokenParts(pairingTokenSchema.parse(token)), envelope);
};

function reportOf(token: string, facts: Partial<ReportedFacts>, n = 1): ReportedFacts {
  const { id, claimant: who, client_id, hostname } = claimOf(token, n);
  return { id, claimant: who, client_id, hostname, kind: "failed", step: "", text: "", ...facts };
}

async function report(token: string, facts: Partial<ReportedFacts>, n = 1): Promise<boolean> {
  const parts = tokenParts(pairingTokenSchema.parse(token));
  const told = reportOf(token, facts, n);
  return target.deposits.report({ ...told, proof: reportProof(parts, told) }, from(ADDRESS));
}

describe("a pairing", () => {
  it("hands its claimant everything the agent needs, sealed", async () => {
    const { token, pairing, server_url } = await create({ name: "web01", tags: ["web"] });
    expect(await open(token)).toEqual({
      server_urls: [ORIGIN],
      fingerprint: FINGERPRINT,
      auth_id: CREDENTIAL,
      secret: minted[0],
      name: "web01",
      tags: ["web"],
    });
    expect(server_url).toBe(ORIGIN);
    expect(pairings.get(pairing.id)).toMatchObject({
      state: "used",
      uses_left: 0,
      claims: [{ client_id: "machine-1", hostname: "host-1", address: ADDRESS }],
    });
  });

  it("is offered as two lines made of its address, the script's hash and the token", async () => {
    const { token, commands, script_url, pairing } = await create();
    expect(script_url).toBe(`${ORIGIN}/p/${pairing.id}`);
    expect(commands.map(({ platform, tool }) => `${platform} ${tool}`)).toEqual([
      "linux curl",
      "linux wget",
    ]);
    for (const { text: line } of commands) {
      expect(line).toContain(`'${script_url}'`);
      expect(line).toContain(SHA256);
      expect(line).toContain(`(echo ${token}; env | grep -i _proxy=) | sudo sh`);
    }
  });

  it.each([
    [[], "linux"],
    [["linux-x64"], "linux docker"],
    [["node"], "linux macos"],
    [["linux-arm64", "darwin-arm64"], "linux macos docker"],
  ])("is offered for the machines that there is an agent for: %j", async (targets, platforms) => {
    available = targets;
    const { commands, token } = await create();
    expect([...new Set(commands.map(({ platform }) => platform))].join(" ")).toBe(platforms);
    for (const { text } of commands) expect(text).toContain(token);
  });

  it("sends its host to the address that its maker has chosen, for the script and ever after", async () => {
    const serverUrl = "http://192.0.2.10:8080";
    const { token, script_url, commands, pairing } = await create({ serverUrl });
    expect(script_url).toBe(`${serverUrl}/p/${pairing.id}`);
    for (const { text } of commands) expect(text).toContain(`--server '${serverUrl}'`);
    expect((await open(token)).server_urls).toEqual([serverUrl]);
  });

  it("mints secrets that outlive it by a minute", async () => {
    await create({ ttlS: 120 });
    expect(expiries).toEqual([clock.now() + 180_000]);
  });

  it("PAIR-16, S-06: keeps and logs nothing that contains the token or a secret", async () => {
    const { token } = await create();
    const kept = JSON.stringify(pairings.list()) + lines.join();
    expect(kept).not.toContain(token);
    expect(kept).not.toContain(minted[0]);
  });

  it("refuses a name with control characters before it mints anything", async () => {
    await expect(create({ name: "a\nb" })).rejects.toMatchObject({ code: "BAD_REQUEST" });
    expect(minted).toEqual([]);
  });
});

describe("a claim", () => {
  it("S-06: works once: the next installer is refused", async () => {
    const { token } = await create();
    await open(token, 1);
    expect(await codeOf(() => open(token, 2))).toBe("PAIRING_NOT_FOUND");
  });

  it("C-31: lets exactly one of 50 installers in at once", async () => {
    const { token } = await create();
    const results = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => codeOf(() => open(token, n, `192.0.2.${n}`))),
    );
    expect(results.filter((code) => code === "accepted")).toHaveLength(1);
    expect(new Set(results)).toEqual(new Set(["accepted", "PAIRING_NOT_FOUND"]));
  });

  it("gives each of several hosts its own secret", async () => {
    const { token, pairing } = await create({ uses: 3 });
    const secrets = (await Promise.all([1, 2, 3].map((n) => open(token, n)))).map(
      ({ secret }) => secret,
    );
    expect(new Set(secrets)).toEqual(new Set(minted));
    expect(await codeOf(() => open(token, 4))).toBe("PAIRING_NOT_FOUND");
    expect(pairings.get(pairing.id)?.claims).toHaveLength(3);
  });

  it("PAIR-5: repeated by the same installer within 60 s gets the same answer", async () => {
    const { token, pairing } = await create();
    const first = await open(token);
    clock.advance(59_999);
    expect(await open(token)).toEqual(first);
    clock.advance(1);
    expect(await codeOf(() => open(token))).toBe("PAIRING_NOT_FOUND");
    expect(pairings.get(pairing.id)?.claims).toHaveLength(1);
  });

  it("does not give an installer a second use after its minute", async () => {
    const { token } = await create({ uses: 2 });
    await open(token, 1);
    clock.advance(60_000);
    expect(await codeOf(() => open(token, 1))).toBe("PAIRING_NOT_FOUND");
    expect(await codeOf(() => open(token, 2))).toBe("accepted");
  });

  it("is refused when the pairing is unknown, expired or revoked, always in the same words", async () => {
    expect(await codeOf(() => open(newPairingToken()))).toBe("PAIRING_NOT_FOUND");
    const expired = await create({ ttlS: 60 });
    clock.advance(60_000);
    expect(await codeOf(() => open(expired.token))).toBe("PAIRING_NOT_FOUND");
    expect(pairings.get(expired.pairing.id)?.state).toBe("expired");
    const revokedOne = await create();
    await service.revoke(revokedOne.pairing.id);
    expect(await codeOf(() => open(revokedOne.token))).toBe("PAIRING_NOT_FOUND");
  });

  it("C-31, F-11, S-29: a changed machine clock neither ends nor prolongs a pairing", async () => {
    const { token } = await create({ ttlS: 60 });
    clock.jump(86_400_000);
    expect(await codeOf(() => open(token))).toBe("accepted");
    const other = await create({ ttlS: 60 });
    clock.jump(-86_400_000);
    clock.advance(60_000);
    expect(await codeOf(() => open(other.token))).toBe("PAIRING_NOT_FOUND");
  });

  it("by another host than the pairing is for is refused in words, and leaves it for the right one", async () => {
    const { token, pairing } = await create({ hostname: "host-1.example.com" });
    expect(await codeOf(() => open(token, 2))).toBe("IDENTIFIER_MISMATCH");
    const { steps, state } = pairings.get(pairing.id) ?? {};
    expect(state).toBe("active");
    expect(steps?.at(-1)).toMatchObject({
      kind: "refused",
      reason: "identifier_mismatch",
      hostname: "host-2",
      address: ADDRESS,
    });
    expect(await codeOf(() => open(token, 1))).toBe("accepted");
  });

  it("PAIR-13: the fifth wrong proof destroys the pairing and revokes its secret", async () => {
    const { token, pairing } = await create();
    for (let n = 0; n < 5; n++) {
      const wrong = { ...claimOf(token, n), proof: "x".repeat(43) };
      expect(await codeOf(() => target.deposits.claim(wrong, from(`198.51.100.${n}`)))).toBe(
        "PAIRING_NOT_FOUND",
      );
    }
    expect(await codeOf(() => open(token))).toBe("PAIRING_NOT_FOUND");
    expect(pairings.get(pairing.id)?.state).toBe("revoked");
    expect(revoked).toEqual([`id-${minted[0]}`]);
  });
});

describe("the steps of a pairing", () => {
  const kinds = (id: PairingId) => pairings.get(id)?.steps.map(({ kind }) => kind);

  it("tell of fetching, claiming and the installer's reports, with where it came from", async () => {
    const { token, pairing } = await create();
    target.deposits.fetched(pairing.id, ADDRESS);
    target.deposits.fetched(pairing.id, ADDRESS);
    await open(token);
    expect(await report(token, { kind: "installed" })).toBe(true);
    const { steps = [] } = pairings.get(pairing.id) ?? {};
    expect(steps.map(({ kind, count }) => [kind, count])).toEqual([
      ["made", 1],
      ["script_fetched", 2],
      ["claimed", 1],
      ["installed", 1],
    ]);
    expect(steps[3]).toMatchObject({
      client_id: "machine-1",
      hostname: "host-1",
      address: ADDRESS,
    });
  });

  it("tell how agents fare that sign in with what was claimed, and of no others", async () => {
    const { token, pairing } = await create();
    await open(token);
    const secretId = secretIdSchema.parse(`id-${minted[0]}`);
    const host = { clientId: "machine-1", hostname: "host-1", address: ADDRESS };
    pairings.onHost(secretId, { kind: "waiting", ...host });
    pairings.onHost(secretId, { kind: "refused", ...host, reason: "duplicate", text: "in use" });
    pairings.onHost(secretId, { kind: "refused", ...host, reason: "duplicate", text: "in use" });
    pairings.onHost(secretId, { kind: "connected", ...host });
    pairings.onHost(secretIdSchema.parse("of-somebody-else"), { kind: "connected", ...host });
    expect(kinds(pairing.id)).toEqual(["made", "claimed", "waiting", "refused", "connected"]);
    expect(pairings.get(pairing.id)?.steps[3]).toMatchObject({ reason: "duplicate", count: 2 });
  });

  it("are kept within bounds, the first one among them, and as printable text", async () => {
    const { token, pairing } = await create({ uses: 100 });
    for (let n = 0; n < 100; n++) target.deposits.fetched(pairing.id, `192.0.2.${n}`);
    for (let n = 0; n < 100; n++) {
      await open(token, n, `198.51.100.${n}`);
      const text = `a\u001b[31m\u202e${"x".repeat(490)}`;
      await report(token, { kind: "failed", step: `step ${n}`, text }, n);
    }
    const { steps = [] } = pairings.get(pairing.id) ?? {};
    expect(steps).toHaveLength(64);
    expect(steps[0]?.kind).toBe("made");
    expect(steps.filter(({ kind }) => kind === "script_fetched").length).toBeLessThanOrEqual(8);
    expect(steps.at(-1)).toMatchObject({ kind: "failed", reason: "step 99" });
    expect(steps.at(-1)?.text).toMatch(/^a \[31m x+$/);
  });

  it("end with the pairing", async () => {
    const { pairing } = await create({ ttlS: 60 });
    clock.advance(60_000);
    expect(kinds(pairing.id)).toEqual(["made", "expired"]);
  });
});

describe("a report", () => {
  it("is heard for ten minutes after the claim, also when the pairing is over by then", async () => {
    const { token } = await create({ ttlS: 60 });
    await open(token);
    clock.advance(120_000);
    expect(await report(token, { kind: "installed" })).toBe(true);
    clock.advance(600_000);
    expect(await report(token, { kind: "installed" })).toBe(false);
  });

  it("of a failure before the claim is heard; that something is installed is not", async () => {
    const { token, pairing } = await create();
    expect(await report(token, { kind: "installed" })).toBe(false);
    expect(await report(token, { kind: "failed", step: "look around" })).toBe(true);
    expect(pairings.get(pairing.id)?.steps.at(-1)?.reason).toBe("look around");
  });

  it("that was changed on its way, or comes too often, is not heard", async () => {
    const { token } = await create();
    await open(token);
    const parts = tokenParts(pairingTokenSchema.parse(token));
    const facts = reportOf(token, { kind: "installed" });
    const changed = { ...facts, hostname: "another", proof: reportProof(parts, facts) };
    expect(await target.deposits.report(changed, from(ADDRESS))).toBe(false);
    for (let n = 0; n < 8; n++) expect(await report(token, { kind: "installed" })).toBe(true);
    expect(await report(token, { kind: "installed" })).toBe(false);
  });
});

describe("failures", () => {
  const fail = (address: string) => codeOf(() => open(newPairingToken(), 1, address));

  it("C-31, PAIR-12: are limited per address to ten, and then not heard for ten minutes", async () => {
    for (let n = 0; n < 10; n++) expect(await fail(ADDRESS)).toBe("PAIRING_NOT_FOUND");
    expect(await fail(ADDRESS)).toBe("TOO_MANY_REQUESTS");
    clock.advance(599_999);
    expect(await fail(ADDRESS)).toBe("TOO_MANY_REQUESTS");
    clock.advance(1);
    expect(await fail(ADDRESS)).toBe("PAIRING_NOT_FOUND");
  });

  it("PAIR-12: of all the world are answered late when there are more than 300 a minute, and told once", async () => {
    for (let n = 0; n < 300; n++) await fail(`10.0.${n >> 8}.${n & 255}`);
    const late = [1, 2].map((n) => fail(`10.1.0.${n}`));
    const { token } = await create();
    expect(await codeOf(() => open(token, 1, "192.0.2.2"))).toBe("accepted");
    expect(clock.timers).toBeGreaterThanOrEqual(2);
    clock.advance(1_000);
    expect(await Promise.all(late)).toEqual(["PAIRING_NOT_FOUND", "PAIRING_NOT_FOUND"]);
    expect(lines.filter((line) => line.includes("more failed attempts"))).toHaveLength(1);
  });

  it("do not hinder an installation at another address", async () => {
    const { token } = await create();
    for (let n = 0; n < 12; n++) await fail(ADDRESS);
    expect(await codeOf(() => open(token, 1, "192.0.2.2"))).toBe("accepted");
  });

  it("count for the whole /64 of an IPv6 host, and for an IPv4 address in either form", async () => {
    for (let n = 0; n < 10; n++) await fail(`2001:db8::${n}`);
    expect(await fail("2001:db8:0:0:ffff::1")).toBe("TOO_MANY_REQUESTS");
    expect(await fail("2001:db8:0:1::1")).toBe("PAIRING_NOT_FOUND");
    for (let n = 0; n < 10; n++) await fail("::ffff:192.0.2.9");
    expect(await fail("192.0.2.9")).toBe("TOO_MANY_REQUESTS");
  });
});

describe("revoking", () => {
  it("ends the pairing and revokes only what nobody claimed", async () => {
    const { token, pairing } = await create({ uses: 3 });
    const { secret: claimed } = await open(token, 1);
    await service.revoke(pairing.id);
    expect(revoked).toEqual(minted.filter((one) => one !== claimed).map((one) => `id-${one}`));
    expect(pairings.get(pairing.id)).toMatchObject({ state: "revoked", uses_left: 0 });
    expect(await codeOf(() => open(token, 1))).toBe("PAIRING_NOT_FOUND");
  });

  it("of an unknown pairing says so", async () => {
    const { pairing } = await create();
    clock.advance(600_000 + 30 * 60_000);
    await expect(service.revoke(pairing.id)).rejects.toMatchObject({ code: "PAIRING_NOT_FOUND" });
  });

  it("of a credential's pairings counts the open ones", async () => {
    const used = await create();
    await open(used.token);
    await create();
    await create();
    expect(pairings.openOf(CREDENTIAL)).toBe(2);
    expect(pairings.revokeOf(CREDENTIAL)).toBe(2);
    expect(pairings.openOf(CREDENTIAL)).toBe(0);
    expect(await codeOf(() => open(used.token))).toBe("PAIRING_NOT_FOUND");
  });
});

describe("the list", () => {
  it("shows an ended pairing for 30 minutes, then not any more, and tells watchers", async () => {
    const { pairing } = await create({ ttlS: 60 });
    clock.advance(60_000);
    expect(pairings.list().map((one) => one.state)).toEqual(["expired"]);
    touched.length = 0;
    clock.advance(30 * 60_000);
    expect(pairings.list()).toEqual([]);
    expect(touched).toEqual([pairing.id]);
  });

  it("C-31: holds 1,000 open pairings and refuses the next", async () => {
    for (let n = 0; n < 1_000; n++) await create();
    await expect(create()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    clock.advance(600_000);
    await expect(create()).resolves.toBeDefined();
  });

  it("leaves no timer behind when it is closed", async () => {
    const { token } = await create({ uses: 2 });
    await open(token);
    await create();
    service.close();
    pairings.close();
    target.close();
    expect(clock.timers).toBe(0);
    expect(pairings.list()).toEqual([]);
  });
});
