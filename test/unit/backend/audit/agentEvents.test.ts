import { createSecretKey } from "node:crypto";
import { authIdSchema, clientIdSchema, secretIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import { AgentEvents } from "../../../../backend/src/audit/agentEvents.ts";
import { Bursts } from "../../../../backend/src/audit/bursts.ts";
import { NO_HASH, sealEntry } from "../../../../backend/src/audit/chain.ts";
import { CredentialShares } from "../../../../backend/src/audit/credentialShares.ts";
import { type AuditEntry, bodyOf } from "../../../../backend/src/audit/entry.ts";
import { TunnelEvents } from "../../../../backend/src/audit/tunnelEvents.ts";
import { Limits } from "../../../../backend/src/limits/limits.ts";
import type { LimitName } from "../../../../backend/src/limits/limitTable.ts";
import { noAudit } from "../../../support/backend/noAudit.ts";
import { storedTunnel } from "../../../support/backend/records.ts";
import { FakeClock } from "../../../support/clock.ts";
import { testLog } from "../../../support/log.ts";

const HOUR_MS = 3_600_000;
const TUNNEL = storedTunnel();
const FLEET = authIdSchema.parse("fleet");
const OTHER = authIdSchema.parse("other");

function open(values: ConstructorParameters<typeof Limits>[0]["values"] = {}) {
  const entries: AuditEntry[] = [];
  const clock = new FakeClock();
  const audit = { ...noAudit, note: (entry: AuditEntry) => void entries.push(entry) };
  const limits = new Limits({ values, clock, log: testLog().log });
  const shares = new CredentialShares({ audit, limits, clock });
  const bursts = new Bursts({ audit, clock });
  const agents = new AgentEvents({ audit, bursts, shares, limits, clock });
  const tunnels = new TunnelEvents({ audit, shares, limits, clock });
  const agent = (id: string, credentialId = FLEET, hostname = "web01") => ({
    address: "192.0.2.1",
    credentialId,
    secretId: secretIdSchema.parse("secret-1"),
    clientId: clientIdSchema.parse(id),
    hostname,
    version: "1.0.0",
    hostKey: undefined,
  });
  const connect = (id: string, credentialId = FLEET) => agents.connected(agent(id, credentialId));
  const bites = (limit: LimitName = "connection_entries_per_credential") =>
    limits.states().find(({ name }) => name === limit)?.bites;
  /** Bytes of the lines that the entries become. */
  const bytes = () => {
    const key = createSecretKey(Buffer.alloc(32, 1));
    const place = { at: "2030-01-01T00:00:00.000Z", commit: 1_000_000, prev: NO_HASH };
    const lines = entries.map((one, n) => sealEntry(bodyOf(one, { seq: n + 1, ...place }), key));
    return lines.reduce((sum, { line }) => sum + Buffer.byteLength(line) + 1, 0);
  };
  return { entries, clock, agents, agent, connect, tunnels, bites, bytes };
}

describe("the entries about an agent that connects", () => {
  it("again and again are ten an hour, and one that counts the others", () => {
    const { entries, clock, connect } = open();
    for (let minute = 0; minute < 60; minute += 1) {
      for (let n = 0; n < 60; n += 1) connect("web-1");
      clock.advance(60_000);
    }
    expect(entries).toHaveLength(11);
    expect(entries[10]).toMatchObject({
      application: "client",
      action: "connect",
      affectedId: "fleet",
      clientId: "web-1",
      response: { more: 3_590, within_seconds: 3_600 },
    });
  });

  it("under ever other ids are no more than its credential has a share for", () => {
    const { entries, clock, connect, bites } = open({ connection_entries_per_credential: 100 });
    for (let hour = 0; hour < 24; hour += 1) {
      for (let n = 0; n < 1_000; n += 1) connect(`web-${n}`);
      clock.advance(HOUR_MS);
    }
    // 100 at once, 100 in a day, and one that counts the others each hour.
    expect(entries.length).toBeLessThanOrEqual(100 + 100 + 24 + 1);
    expect(bites()).toBeGreaterThan(20_000);
    const counted = entries.reduce((sum, { response }) => sum + Number(response?.more ?? 1), 0);
    expect(counted).toBe(24_000);
  });

  it("of one credential take no share from another", () => {
    const { entries, connect } = open({ connection_entries_per_credential: 10 });
    for (let n = 0; n < 50; n += 1) connect(`web-${n}`);
    connect("db-1", OTHER);
    expect(entries.at(-1)).toMatchObject({ affectedId: "other", clientId: "db-1" });
  });

  it("are written for each host of a large fleet that comes back", () => {
    const { entries, agents, agent, bites } = open();
    for (let n = 0; n < 15_000; n += 1) {
      const id = `9f0b4c1e-7d3a-4f52-8e66-${String(n).padStart(12, "0")}`;
      agents.connected(agent(id, FLEET, `web-${n}.internal.example.com`));
    }
    expect(entries).toHaveLength(15_000);
    expect(bites("connection_entry_bytes_per_credential")).toBe(0);
  });

  it.each([
    ["tunnels that cannot be", "h".repeat(5_000), "web01"],
    ["tunnels that cannot be, in another script", "\u{1f680}".repeat(5_000), "web01"],
    ["a name", "h", "\u0001".repeat(5_000)],
  ])("take no more room in a day than SECURITY.md says, with %s", (_what, tunnel, hostname) => {
    const { entries, clock, agents, agent, bites, bytes } = open();
    const tunnels = Array.from({ length: 64 }, (_, n) => `${n}: ${tunnel}`);
    for (let n = 0; n < 20_000; n += 1) {
      agents.leftOut(agent(`web-${n}`, FLEET, hostname), tunnels);
      agents.connected(agent(`web-${n}`, FLEET, hostname));
    }
    expect(bytes()).toBeLessThan(11_000_000);
    expect(bites("connection_entry_bytes_per_credential")).toBeGreaterThan(0);
    clock.advance(HOUR_MS);
    expect(entries.slice(-2)).toMatchObject([
      { affectedId: "fleet", response: { within_seconds: 3_600 } },
      { affectedId: "fleet", response: { within_seconds: 3_600 } },
    ]);
  });

  it("tell of a few of many tunnels that were left out, and how many there were", () => {
    const { entries, agents, agent } = open();
    agents.leftOut(agent("web-1"), ["one"]);
    agents.leftOut(
      agent("web-1"),
      Array.from({ length: 64 }, (_, n) => `${n}`.padEnd(5_000, "x")),
    );
    expect(entries[0]?.request).toEqual({ by: "agent", left_out: ["one"] });
    expect(entries[1]?.request).toMatchObject({ left_out_total: 64 });
    expect(entries[1]?.request?.left_out).toHaveLength(8);
    expect(JSON.stringify(entries[1]).length).toBeLessThan(2_000);
  });

  it("that was refused, from however many networks, take the credential's share as well", () => {
    const { entries, agents, agent } = open({ connection_entries_per_credential: 100 });
    for (let n = 0; n < 1_000; n += 1) {
      const address = `10.${n % 250}.${Math.floor(n / 250)}.1`;
      agents.refused({ ...agent("web-1"), address }, "agent tried to open a channel");
    }
    expect(entries).toHaveLength(100);
  });
});

it("tunnels that a host asks for, and that are old at once, are counted when they end, too", () => {
  const { entries, tunnels, bites } = open({ connection_entries_per_credential: 200 });
  for (let n = 0; n < 1_000; n += 1) {
    const clientId = clientIdSchema.parse(`web-${n % 10}`);
    const agent = { clientId, session: { credentialId: FLEET } };
    tunnels.expired(agent, storedTunnel({ owner: "", rport: `${n + 1}` }), "age");
  }
  expect(entries).toHaveLength(200);
  expect(bites()).toBe(440);
  const agent = { clientId: clientIdSchema.parse("web-1"), session: { credentialId: FLEET } };
  tunnels.expired(agent, storedTunnel({ owner: "anna" }), "idle");
  expect(entries).toHaveLength(201);
});

it("tunnels that a host asks for, ever others, are counted beyond those that it may have", () => {
  const { entries, clock, tunnels } = open();
  const agent = { clientId: clientIdSchema.parse("web-1"), session: { credentialId: FLEET } };
  for (let n = 0; n < 1_000; n += 1) tunnels.askedFor(agent, { ...TUNNEL, rport: `${n + 1}` });
  expect(entries).toHaveLength(64);
  clock.advance(HOUR_MS);
  expect(entries[64]).toMatchObject({
    application: "client.tunnel",
    action: "create",
    clientId: "web-1",
    response: { more: 936, within_seconds: 3_600 },
  });
});
