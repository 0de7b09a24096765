import { authIdSchema, clientIdSchema, whyNotAuthId } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";

/** Nobody sees these characters, and ids that are kept from earlier may have them. */
const UNSEEN = ["a\u00ADbc", "a\u3164bc", "a\u{E0041}bc", "a\u061Cbc"];

describe("an id with a character that nobody sees", () => {
  it.each(UNSEEN)("is not made any more, and still read where it is kept: %j", (id) => {
    expect(whyNotAuthId(id)).toContain("invisible");
    expect(authIdSchema.safeParse(id).success).toBe(true);
    expect(clientIdSchema.safeParse(id).success).toBe(true);
  });

  it.each(["a\u202Ebc", "a\u0000bc", "a\u200Bbc"])("has never been one: %j", (id) => {
    expect(whyNotAuthId(id)).toContain("invisible");
    expect(authIdSchema.safeParse(id).success).toBe(false);
    expect(clientIdSchema.safeParse(id).success).toBe(false);
  });
});
