import { authIdSchema, secretIdSchema } from "@rport/protocol/ids";
import { expect, it } from "vitest";
import { EmbeddedEdits } from "../../../../backend/src/store/embeddedEdits.ts";
import type { SecretRow } from "../../../../backend/src/store/records/secretRow.ts";
import { openStore } from "../../../../backend/src/store/store.ts";
import { FakeClock } from "../../../support/clock.ts";
import { FaultyDisk } from "../../../support/faults/faultyDisk.ts";
import { testLog } from "../../../support/log.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const HALF_MADE = authIdSchema.parse("half-made");

/** The secret of a credential whose record a crash kept from the disk. */
const orphan: SecretRow = {
  id: secretIdSchema.parse("orphan-secret-1"),
  credential_id: HALF_MADE,
  seq: 1,
  scheme: "hmac",
  verifier: Buffer.alloc(32, 1),
  origin: "initial",
  state: "active",
  client_id: null,
  single_use: false,
  created_at: 1,
  last_used_at: null,
  expires_at: null,
  unbound_until: null,
  state_since: 1,
};

it("F-15: what a crash interrupted stops no start on a full disk; it opens nothing, and goes when there is space", async () => {
  await using directory = await tempDirectory();
  const clock = new FakeClock();
  const { log, lines } = testLog();
  const store = await openStore({ directory: directory.path, clock, log });
  const [first] = store.document.data.credentials;
  if (first === undefined) throw new Error("a new store has a credential");
  await store.edits.settle([{ kind: "mark", credential: first.id }]);
  await store.edits.commit([{ kind: "add", row: orphan }]);

  const disk = new FaultyDisk(store);
  disk.fill();
  const { secretRows, clientRows } = store;
  const { document, database } = disk;
  const edits = new EmbeddedEdits({ document, database, secretRows, clientRows, clock, log });
  const { records } = await edits.readCredentials();
  expect(records).toMatchObject([{ id: first.id, state: "revoked" }]);
  expect(lines.join("")).toContain("the disk is full");

  // A later credential of that name has nothing of the one that was never made.
  disk.empty();
  const record = { ...first, id: HALF_MADE, state: "active" as const };
  const own = { ...orphan, id: secretIdSchema.parse("own-secret-1") };
  await edits.commit([
    { kind: "create", record },
    { kind: "add", row: own },
  ]);
  expect((await secretRows.all()).map(({ id }) => id)).toEqual([own.id]);
  await store.close();
});
