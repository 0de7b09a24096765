import { authIdSchema, clientIdSchema, secretIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import { AgentEvents } from "../../../../backend/src/audit/agentEvents.ts";
import { Bursts } from "../../../../backend/src/audit/bursts.ts";
import { CredentialShares } from "../../../../backend/src/audit/credentialShares.ts";
import type { AuditEntry } from "../../../../backend/src/audit/entry.ts";
import { TunnelEvents } from "../../../../backend/src/audit/tunnelEvents.ts";
import { Limits } from "../../../../backend/src/limits/limits.ts";
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
  const connect = (id: string, credentialId = FLEET) =>
    agents.connected({
      address: "192.0.2.1",
      credentialId,
      secretId: secretIdSchema.parse("secret-1"),
      clientId: clientIdSchema.parse(id),
      hostname: "web01",
      version: "1.0.0",
      hostKey: undefined,
    });
  const bites = () =>
    limits.states().find(({ name }) => name === "connection_entries_per_credential")?.bites;
  return { entries, clock, connect, tunnels, bites };
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
    const { entries, connect } = open();
    for (let n = 0; n < 10_000; n += 1) connect(`web-${n}`);
    expect(entries).toHaveLength(10_000);
  });
});

it("tunnels that a host asks for, ever others, are counted beyond those that it may have", () => {
  const { entries, clock, tunnels } = open();
  const agent = { clientId: clientIdSchema.parse("web-1"), credentialId: FLEET };
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
