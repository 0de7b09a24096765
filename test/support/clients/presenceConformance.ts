import { type AuthId, authIdSchema, type ClientId, clientIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import type { Presence, PresentSession } from "../../../backend/src/clients/registry/presence.ts";

const [ONE, TWO] = ["machine-1", "machine-2"].map((id) => clientIdSchema.parse(id)) as [
  ClientId,
  ClientId,
];
const FLEET = authIdSchema.parse("fleet");

/** As much of a session as presence looks at. */
export function presentSession(
  clientId: ClientId | undefined,
  credentialId: AuthId = FLEET,
): PresentSession {
  return { clientId, credentialId, lastHeardAtMs: undefined };
}

/**
 * What every presence promises; `open` makes one where nobody is. Today `LocalPresence` is the only
 * one: what tests put in the place of clients (`TestClients`) uses it, too.
 */
export function describePresence(name: string, open: () => Presence<PresentSession>): void {
  describe(`the promises of a presence: ${name}`, () => {
    it("locates who claimed an id, and nobody for others", () => {
      const presence = open();
      const one = presentSession(ONE);
      presence.claim(ONE, one);
      expect(presence.locate(ONE)).toBe(one);
      expect(presence.locate(TWO)).toBeUndefined();
    });

    it("has the last claimant speak for the id", () => {
      const presence = open();
      const [before, after] = [presentSession(ONE), presentSession(ONE)];
      presence.claim(ONE, before);
      presence.claim(ONE, after);
      expect(presence.locate(ONE)).toBe(after);
    });

    it("takes nothing from the next one when the one before is released late", () => {
      const presence = open();
      const [before, after] = [presentSession(ONE), presentSession(ONE)];
      presence.claim(ONE, before);
      presence.claim(ONE, after);
      presence.release(before);
      expect(presence.locate(ONE)).toBe(after);
      presence.release(after);
      expect(presence.locate(ONE)).toBeUndefined();
    });

    it("minds neither a release twice nor that of somebody who claimed nothing", () => {
      const presence = open();
      const one = presentSession(ONE);
      presence.claim(ONE, one);
      presence.release(presentSession(undefined));
      presence.release(presentSession(ONE));
      expect(presence.locate(ONE)).toBe(one);
      presence.release(one);
      presence.release(one);
      expect(presence.locate(ONE)).toBeUndefined();
    });
  });
}
