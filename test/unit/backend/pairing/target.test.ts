import { RportError } from "@rport/protocol/errors";
import { authIdSchema, clientIdSchema, pairingIdSchema, secretIdSchema } from "@rport/protocol/ids";
import { newPairingToken } from "@rport/protocol/sealing";
import { describe, expect, it } from "vitest";
import { Limits } from "../../../../backend/src/limits/limits.ts";
import { PairingService } from "../../../../backend/src/pairing/pairingService.ts";
import { Pairings } from "../../../../backend/src/pairing/pairings.ts";
import { EmbeddedTarget } from "../../../../backend/src/pairing/targets/embedded.ts";
import type {
  Deposited,
  PairingDraft,
  PairingTarget,
  PairingWatcher,
} from "../../../../backend/src/pairing/targets/target.ts";
import { Targets } from "../../../../backend/src/pairing/targets/targets.ts";
import { unheardPairingEvents } from "../../../support/backend/noAudit.ts";
import { FakeClock } from "../../../support/clock.ts";
import { testLog } from "../../../support/log.ts";

const ID = pairingIdSchema.parse("0123456789ABCDEF");
const INPUT = {
  credentialId: authIdSchema.parse("fleet"),
  uses: 2,
  name: "",
  tags: [],
  hostname: "",
  service: "configured" as const,
  origin: "https://rport.example.com",
};

/** A pairing service elsewhere: it needs time, may fail, and knows lines of its own. */
class ServiceElsewhere implements PairingTarget {
  readonly view = { kind: "sealed", url: "https://pairing.example.com" } as const;
  readonly drafts: PairingDraft[] = [];
  readonly revoked: string[] = [];
  failure: RportError | undefined;
  watcher: PairingWatcher | undefined;

  watch(watcher: PairingWatcher): void {
    this.watcher = watcher;
  }

  async deposit(draft: PairingDraft): Promise<Deposited> {
    await Promise.resolve();
    if (this.failure !== undefined) throw this.failure;
    this.drafts.push(draft);
    return {
      id: ID,
      token: newPairingToken(),
      scriptUrl: "https://pairing.example.com/x",
      scriptSha256: "b".repeat(64),
      commands: [{ platform: "windows", tool: "powershell", text: "iwr" }],
      expiresAtMs: draft.expiresAtMs - 1_000,
    };
  }

  async revoke(id: string): Promise<void> {
    this.revoked.push(id);
    if (this.failure !== undefined) throw this.failure;
  }
}

function setUp(requireUsable: () => void = () => undefined) {
  const clock = new FakeClock();
  const { log, lines } = testLog();
  const target = new ServiceElsewhere();
  const embedded = new EmbeddedTarget({
    scriptSha256: () => "a".repeat(64),
    targets: () => [],
    clock,
    log,
  });
  const targets = new Targets(embedded, target);
  const revoked: string[] = [];
  const events = unheardPairingEvents();
  const pairings = new Pairings({ targets, clock, log, touch: () => undefined, events });
  const service = new PairingService({
    limits: new Limits({ clock, log }),
    credentials: {
      mintForPairing: async (_id, count) =>
        Array.from({ length: count }, (_, n) => ({
          secretId: secretIdSchema.parse(`secret-number-${n}0`),
          secret: "x".repeat(43),
        })),
      requireUsable,
      revokeSecrets: async (ids) => void revoked.push(...ids),
    },
    targets,
    pairings,
    fingerprint: `SHA256:${"A".repeat(43)}`,
    serverUrls: [],
    clock,
    log,
    events,
  });
  return { service, pairings, target, clock, lines, revoked };
}

describe("a pairing target elsewhere", () => {
  it("says where the script is, what to paste, and until when", async () => {
    const { service, target, clock } = setUp();
    const made = await service.create(INPUT);
    expect(made).toMatchObject({
      script_url: "https://pairing.example.com/x",
      commands: [{ platform: "windows", text: "iwr" }],
    });
    expect(Date.parse(made.pairing.expires_at)).toBe(clock.now() + 599_000);
    expect(target.drafts[0]?.payload).toMatchObject({
      auth_id: "fleet",
      server_urls: [INPUT.origin],
    });
  });

  it("tells of claims, which the list shows", async () => {
    const { service, pairings, target } = setUp();
    await service.create(INPUT);
    target.watcher?.onClaimed(ID, {
      secretId: secretIdSchema.parse("secret-number-10"),
      clientId: clientIdSchema.parse("one"),
      hostname: "web-1",
      address: "192.0.2.1",
    });
    expect(pairings.get(ID)).toMatchObject({
      state: "active",
      uses_left: 1,
      claims: [{ client_id: "one", hostname: "web-1" }],
    });
  });

  it("that takes nothing leaves no pairing behind", async () => {
    const { service, pairings, target } = setUp();
    target.failure = new RportError("UNAVAILABLE", "The pairing service does not answer.");
    await expect(service.create(INPUT)).rejects.toBe(target.failure);
    expect(pairings.list()).toEqual([]);
  });

  it("gets back what it was given for a credential that is gone meanwhile", async () => {
    const gone = new RportError("ERR_CODE_CLIENT_AUTH_NOT_FOUND", "There is no such credential.");
    const { service, pairings, target } = setUp(() => {
      throw gone;
    });
    await expect(service.create(INPUT)).rejects.toBe(gone);
    expect(target.revoked).toEqual([ID]);
    expect(pairings.list()).toEqual([]);
  });

  it("that cannot be told of an end does not hinder it: the secrets are revoked here", async () => {
    const { service, pairings, target, revoked, lines } = setUp();
    await service.create(INPUT);
    target.failure = new RportError("UNAVAILABLE", "The pairing service does not answer.");
    await service.revoke(ID);
    expect(revoked).toHaveLength(2);
    expect(pairings.get(ID)?.state).toBe("revoked");
    await Promise.resolve();
    expect(lines.join("\n")).toContain("the target could not be told");
  });
});
