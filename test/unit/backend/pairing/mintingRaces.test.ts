import { expect, it } from "vitest";
import type { PairingPort } from "../../../../backend/src/credentials/ports.ts";
import { EmbeddedTarget } from "../../../../backend/src/pairing/embedded.ts";
import { PairingService } from "../../../../backend/src/pairing/service.ts";
import { authId, openCredentials } from "../../../support/backend/credentials.ts";
import { testLog } from "../../../support/log.ts";

const FLEET = authId("fleet");

it("no pairing is opened for a credential that was deleted while its secrets were made", async () => {
  let opened: PairingService | undefined;
  const port: PairingPort = {
    openOf: (id, secrets) => opened?.openOf(id, secrets) ?? 0,
    revokeOf: (id, secrets) => opened?.revokeOf(id, secrets) ?? 0,
  };
  await using fixture = await openCredentials(port);
  const { credentials, edits, clock } = fixture;
  await credentials.create({ id: FLEET, createdBy: "test" });
  const { log } = testLog();
  const pairings = new PairingService({
    target: new EmbeddedTarget({ scriptSha256: () => "a".repeat(64), clock, log }),
    credentials,
    clock,
    log,
    touch: () => undefined,
    serverUrls: [],
    fingerprint: `SHA256:${"A".repeat(43)}`,
  });
  opened = pairings;
  const [minted, deleted] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  edits.after(
    ({ kind }) => kind === "add",
    async () => {
      minted.resolve();
      await deleted.promise;
    },
  );
  const origin = "https://rport.example.com";
  const input = { credentialId: FLEET, uses: 2, name: "", tags: [], origin };
  const pairing = pairings.create(input);
  await minted.promise;
  const options = { force: true, purge: false };
  expect(await credentials.removals.remove(FLEET, options)).toMatchObject({ pairings: 0 });
  deleted.resolve();
  const code = "ERR_CODE_CLIENT_AUTH_NOT_FOUND";
  await expect(pairing).rejects.toMatchObject({ code });
  expect(pairings.list()).toEqual([]);
  pairings.close();
});
