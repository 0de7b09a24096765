import { isOlder } from "@rport/protocol/version";
import { describe, expect, it } from "vitest";

/** Each comes before the next one. */
const IN_ORDER = [
  "0.0.9",
  "0.1.0",
  "0.9.9",
  "0.10.0",
  "1.0.0-alpha",
  "1.0.0-alpha.1",
  "1.0.0-alpha.beta",
  "1.0.0-beta",
  "1.0.0-beta.2",
  "1.0.0-beta.11",
  "1.0.0-rc.1",
  "1.0.0",
  "1.0.1-rc.1",
  "1.0.1",
  "2.0.0",
];

describe("whether a version is older than another", () => {
  it("is known of all that a release can have", () => {
    for (const [at, version] of IN_ORDER.entries()) {
      expect(isOlder(version, version)).toBe(false);
      for (const later of IN_ORDER.slice(at + 1)) {
        expect.soft(isOlder(version, later), `${version} before ${later}`).toBe(true);
        expect.soft(isOlder(later, version), `${later} before ${version}`).toBe(false);
      }
    }
  });

  it("does not depend on what a build says of itself", () => {
    expect(isOlder("1.0.0+5", "1.0.0+9")).toBe(false);
    expect(isOlder("1.0.0+9", "1.0.0")).toBe(false);
  });

  it.each(["", "1.0", "1.0.0.0", "01", "of another kind", "1.0.0-", "1.0.0 ", "v1.0.0"])(
    "is not known of %j, which is no version",
    (text) => {
      expect(isOlder(text, "1.0.0")).toBeUndefined();
      expect(isOlder("1.0.0", text)).toBeUndefined();
    },
  );
});
