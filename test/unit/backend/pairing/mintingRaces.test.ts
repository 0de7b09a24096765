import { expect, it } from "vitest";
import { Limits } from "../../../../backend/src/limits/limits.ts";
import { PairingService } from "../../../../backend/src/pairing/pairingService.ts";
import { Pairings } from "../../../../backend/src/pairing/pairings.ts";
import { EmbeddedTarget } from "../../../../backend/src/pairing/targets/embedded.ts";
import { Targets } from "../../../../backend/src/pairing/targets/targets.ts";
import { authId, openCredentials } from "../../../support/backend/credentials.ts";
import { unheardPairingEvents } from "../../../support/backend/noAudit.ts";
import { FakeClock } from "../../../support/clock.ts";
import { testLog } from "../../../support/log.ts";

const FLEET = authId("fleet");

it("no pairing is opened for a credential that was deleted while its secrets were made", async () => {
  const { log } = testLog();
  const clock = new FakeClock();
  const target = new EmbeddedTarget({
    scriptSha256: () => "a".repeat(64),
    targets: () => [],
    clock,
    log,
  });
  const targets = new Targets(target);
  const events = unheardPairingEvents();
  const pairings = new Pairings({ targets, clock, log, touch: () => undefined, events });
  await using fixture = await openCredentials(pairings);
  const { credentials, edits } = fixture;
  await credentials.create({ id: FLEET, createdBy: "test" });
  const service = new PairingService({
    limits: new Limits({ clock, log }),
    targets,
    pairings,
    credentials,
    clock,
    log,
    events,
    serverUrls: [],
    fingerprint: `SHA256:${"A".repeat(43)}`,
  });
  const [minted, deleted] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  edits.after(
    ({ kind }) => kind === "add",
    async () => {
      minted.resolve();
      await deleted.promise;
    },
  );
  const origin = "https://rport.example.com";
  const input = {
    credentialId: FLEET,
    uses: 2,
    name: "",
    tags: [],
    hostname: "",
    service: "configured" as const,
    origin,
  };
  const pairing = service.create(input);
  await minted.promise;
  const options = { force: true, purge: false };
  expect(await credentials.removals.remove(FLEET, options)).toMatchObject({ pairings: 0 });
  deleted.resolve();
  const code = "ERR_CODE_CLIENT_AUTH_NOT_FOUND";
  await expect(pairing).rejects.toMatchObject({ code });
  expect(pairings.list()).toEqual([]);
  pairings.close();
});
