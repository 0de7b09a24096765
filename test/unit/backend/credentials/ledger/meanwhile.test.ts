import { RportError } from "@rport/protocol/errors";
import { expect, it } from "vitest";
import { authId, openCredentials } from "../../../../support/backend/credentials.ts";

const FLEET = authId("fleet");
const typed = { password: "a long password of a fleet" };

/** Whoever asks is disabled while the password is worked on. */
function requireRight(): never {
  throw new RportError("UNAUTHORIZED", "This sign-in has ended.");
}

it("makes no credential and no secret for whoever may no longer, once a password was worked on", async () => {
  await using fixture = await openCredentials();
  const { credentials } = fixture;
  const made = credentials.create({ ...typed, id: FLEET, createdBy: "ann", requireRight });
  await expect(made).rejects.toMatchObject({ code: "UNAUTHORIZED" });
  expect(credentials.get(FLEET)).toBeUndefined();
  await credentials.create({ id: FLEET, createdBy: "ann" });
  const added = credentials.addSecret(FLEET, { ...typed, requireRight });
  await expect(added).rejects.toMatchObject({ code: "UNAUTHORIZED" });
  expect(credentials.secrets(FLEET)).toHaveLength(1);
});
