import { authIdSchema, clientIdSchema, pairingIdSchema } from "@rport/protocol/ids";
import { expect, it } from "vitest";
import { Bursts } from "../../../../backend/src/audit/bursts.ts";
import { CredentialShares } from "../../../../backend/src/audit/credentialShares.ts";
import type { AuditEntry } from "../../../../backend/src/audit/entry.ts";
import { PairingEvents } from "../../../../backend/src/audit/pairingEvents.ts";
import { Limits } from "../../../../backend/src/limits/limits.ts";
import { noAudit } from "../../../support/backend/noAudit.ts";
import { FakeClock } from "../../../support/clock.ts";
import { testLog } from "../../../support/log.ts";

it("claims of one credential are so many, however many pairings they are of, and then counted", () => {
  const entries: AuditEntry[] = [];
  const clock = new FakeClock();
  const audit = { ...noAudit, note: (one: AuditEntry) => void entries.push(one) };
  const values = { connection_entries_per_credential: 100 };
  const limits = new Limits({ values, clock, log: testLog().log });
  const shares = new CredentialShares({ audit, limits, clock });
  const events = new PairingEvents({ audit, bursts: new Bursts({ audit, clock }), shares });
  const claim = {
    clientId: clientIdSchema.parse("web-1"),
    hostname: "web01",
    address: "192.0.2.1",
  };
  const pairing = (n: number) => pairingIdSchema.parse(`${n}`.padStart(16, "0"));
  const of = (id: string) => authIdSchema.parse(id);
  for (let n = 0; n < 3_000; n += 1) {
    events.claimed({ id: pairing(n % 30), credential_id: of("fleet") }, claim);
  }
  events.claimed({ id: pairing(30), credential_id: of("other") }, claim);
  expect(entries).toHaveLength(101);
  expect(entries[100]).toMatchObject({ affectedId: pairing(30) });
  clock.advance(3_600_000);
  expect(entries.slice(101)).toEqual([
    expect.objectContaining({ application: "pairing", action: "claim", clientId: "web-1" }),
  ]);
  expect(entries[101]?.response).toMatchObject({ more: 2_900 });
});
