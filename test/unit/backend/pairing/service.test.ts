import { RportError } from "@rport/protocol/errors";
import { authIdSchema, clientIdSchema, secretIdSchema } from "@rport/protocol/ids";
import { type ClaimRequest, PAIRING_REFUSED, pairingTokenSchema } from "@rport/protocol/pairing";
import { claimProof, newPairingToken, tokenParts, unseal } from "@rport/protocol/sealing";
import { beforeEach, describe, expect, it } from "vitest";
import { EmbeddedTarget } from "../../../../backend/src/pairing/embedded.ts";
import { PairingService } from "../../../../backend/src/pairing/pairingService.ts";
import { Pairings } from "../../../../backend/src/pairing/pairings.ts";
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

beforeEach(() => {
  clock = new FakeClock();
  minted = [];
  expiries = [];
  revoked = [];
  touched = [];
  lines = [];
  const log = createLog({ clock, sink: (line) => lines.push(line), level: "debug" });
  target = new EmbeddedTarget({ scriptSha256: () => SHA256, clock, log });
  const events = unheardPairingEvents();
  const touch = (_entity: string, id: string) => touched.push(id);
  pairings = new Pairings({ target, clock, log, touch, events });
  service = new PairingService({
    target,
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

const create = (change: { uses?: number; ttlS?: number; name?: string; tags?: string[] } = {}) =>
  service.create({
    credentialId: CREDENTIAL,
    uses: 1,
    name: "",
    tags: [],
    origin: ORIGIN,
    ...change,
  });

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

function codeOf(action: () => unknown): string {
  try {
    action();
    return "accepted";
  } catch (error) {
    if (error instanceof RportError && error.code === "PAIRING_NOT_FOUND") {
      expect(error.message).toBe(PAIRING_REFUSED);
    }
    return error instanceof RportError ? error.code : String(error);
  }
}

const open = (token: string, n = 1, address = ADDRESS) => {
  const { envelope } = target.claim(claimOf(token, n), address);
  return unseal(tokenParts(pairingTokenSchema.parse(token)), envelope);
};

describe("a pairing", () => {
  it("hands its claimant everything the agent needs, sealed", async () => {
    const { token, pairing, server_url } = await create({ name: "web01", tags: ["web"] });
    expect(open(token)).toEqual({
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
    open(token, 1);
    expect(codeOf(() => open(token, 2))).toBe("PAIRING_NOT_FOUND");
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
    const secrets = [1, 2, 3].map((n) => open(token, n).secret);
    expect(new Set(secrets)).toEqual(new Set(minted));
    expect(codeOf(() => open(token, 4))).toBe("PAIRING_NOT_FOUND");
    expect(pairings.get(pairing.id)?.claims).toHaveLength(3);
  });

  it("PAIR-5: repeated by the same installer within 60 s gets the same answer", async () => {
    const { token, pairing } = await create();
    const first = open(token);
    clock.advance(59_999);
    expect(open(token)).toEqual(first);
    clock.advance(1);
    expect(codeOf(() => open(token))).toBe("PAIRING_NOT_FOUND");
    expect(pairings.get(pairing.id)?.claims).toHaveLength(1);
  });

  it("does not give an installer a second use after its minute", async () => {
    const { token } = await create({ uses: 2 });
    open(token, 1);
    clock.advance(60_000);
    expect(codeOf(() => open(token, 1))).toBe("PAIRING_NOT_FOUND");
    expect(codeOf(() => open(token, 2))).toBe("accepted");
  });

  it("is refused when the pairing is unknown, expired or revoked, always in the same words", async () => {
    expect(codeOf(() => open(newPairingToken()))).toBe("PAIRING_NOT_FOUND");
    const expired = await create({ ttlS: 60 });
    clock.advance(60_000);
    expect(codeOf(() => open(expired.token))).toBe("PAIRING_NOT_FOUND");
    expect(pairings.get(expired.pairing.id)?.state).toBe("expired");
    const revokedOne = await create();
    await service.revoke(revokedOne.pairing.id);
    expect(codeOf(() => open(revokedOne.token))).toBe("PAIRING_NOT_FOUND");
  });

  it("C-31, F-11, S-29: a changed machine clock neither ends nor prolongs a pairing", async () => {
    const { token } = await create({ ttlS: 60 });
    clock.jump(86_400_000);
    expect(codeOf(() => open(token))).toBe("accepted");
    const other = await create({ ttlS: 60 });
    clock.jump(-86_400_000);
    clock.advance(60_000);
    expect(codeOf(() => open(other.token))).toBe("PAIRING_NOT_FOUND");
  });

  it("PAIR-13: the fifth wrong proof destroys the pairing and revokes its secret", async () => {
    const { token, pairing } = await create();
    for (let n = 0; n < 5; n++) {
      const wrong = { ...claimOf(token, n), proof: "x".repeat(43) };
      expect(codeOf(() => target.claim(wrong, `198.51.100.${n}`))).toBe("PAIRING_NOT_FOUND");
    }
    expect(codeOf(() => open(token))).toBe("PAIRING_NOT_FOUND");
    expect(pairings.get(pairing.id)?.state).toBe("revoked");
    expect(revoked).toEqual([`id-${minted[0]}`]);
  });
});

describe("failures", () => {
  const fail = (address: string) => codeOf(() => open(newPairingToken(), 1, address));

  it("C-31, PAIR-12: are limited per address to 10 and then 10 a minute", () => {
    for (let n = 0; n < 10; n++) expect(fail(ADDRESS)).toBe("PAIRING_NOT_FOUND");
    expect(fail(ADDRESS)).toBe("TOO_MANY_REQUESTS");
    clock.advance(6_000);
    expect(fail(ADDRESS)).toBe("PAIRING_NOT_FOUND");
    expect(fail(ADDRESS)).toBe("TOO_MANY_REQUESTS");
  });

  it("do not hinder an installation at another address", async () => {
    const { token } = await create();
    for (let n = 0; n < 12; n++) fail(ADDRESS);
    expect(codeOf(() => open(token, 1, "192.0.2.2"))).toBe("accepted");
  });

  it("count for the whole /64 of an IPv6 host, and for an IPv4 address in either form", () => {
    for (let n = 0; n < 10; n++) fail(`2001:db8::${n}`);
    expect(fail("2001:db8:0:0:ffff::1")).toBe("TOO_MANY_REQUESTS");
    expect(fail("2001:db8:0:1::1")).toBe("PAIRING_NOT_FOUND");
    for (let n = 0; n < 10; n++) fail("::ffff:192.0.2.9");
    expect(fail("192.0.2.9")).toBe("TOO_MANY_REQUESTS");
  });
});

describe("revoking", () => {
  it("ends the pairing and revokes only what nobody claimed", async () => {
    const { token, pairing } = await create({ uses: 3 });
    const claimed = open(token, 1).secret;
    await service.revoke(pairing.id);
    expect(revoked).toEqual(minted.filter((one) => one !== claimed).map((one) => `id-${one}`));
    expect(pairings.get(pairing.id)).toMatchObject({ state: "revoked", uses_left: 0 });
    expect(codeOf(() => open(token, 1))).toBe("PAIRING_NOT_FOUND");
  });

  it("of an unknown pairing says so", async () => {
    const { pairing } = await create();
    clock.advance(600_000 + 30 * 60_000);
    await expect(service.revoke(pairing.id)).rejects.toMatchObject({ code: "PAIRING_NOT_FOUND" });
  });

  it("of a credential's pairings counts the open ones", async () => {
    const used = await create();
    open(used.token);
    await create();
    await create();
    expect(pairings.openOf(CREDENTIAL)).toBe(2);
    expect(pairings.revokeOf(CREDENTIAL)).toBe(2);
    expect(pairings.openOf(CREDENTIAL)).toBe(0);
    expect(codeOf(() => open(used.token))).toBe("PAIRING_NOT_FOUND");
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
    open(token);
    await create();
    service.close();
    pairings.close();
    target.close();
    expect(clock.timers).toBe(0);
    expect(pairings.list()).toEqual([]);
  });
});
