import { describe, expect, it } from "vitest";
import { parseAcl } from "../../../../backend/src/tunnels/acl.ts";

describe("a tunnel's ACL", () => {
  it.each([
    ["192.0.2.7", "192.0.2.7", true],
    ["192.0.2.7", "192.0.2.8", false],
    ["192.0.2.0/24", "192.0.2.200", true],
    ["192.0.2.77/24", "192.0.2.1", true],
    ["10.0.0.0/8, 192.0.2.1", "192.0.2.1", true],
    ["2001:db8::/32", "2001:db8:1::9", true],
    ["2001:db8::/32", "2001:db9::1", false],
    ["fe80::1", "fe80::1%eth0", true],
    ["2001:DB8:0::1", "2001:db8::1", true],
  ])("%s: peer %s allowed is %s", (text, peer, allowed) => {
    expect(parseAcl(text).allows(peer)).toBe(allowed);
  });

  it.each([
    ["192.0.2.0/24", "::ffff:192.0.2.5", true],
    ["192.0.2.0/24", "::ffff:c000:205", true],
    ["192.0.2.0/24", "::ffff:198.51.100.1", false],
    ["::ffff:192.0.2.0/120", "192.0.2.5", true],
    ["::ffff:192.0.2.0/120", "::ffff:192.0.3.5", false],
    ["2001:db8::/32", "::ffff:192.0.2.5", false],
  ])("S-25: IPv4 inside IPv6 changes nothing: %s, %s, %s", (text, peer, allowed) => {
    expect(parseAcl(text).allows(peer)).toBe(allowed);
  });

  it.each([
    "1.2.3.4/0",
    "::1/0",
    "2001:db8::/0",
    "::ffff:1.2.3.4/96",
    "::fffe:0:1/95",
    "::1/64",
    "255.255.255.255/00",
  ])("S-25: refuses %s, which has everybody in it", (text) => {
    expect(() => parseAcl(text)).toThrow(/would allow everybody/);
    expect(() => parseAcl(`192.0.2.1,${text}`)).toThrow(/would allow everybody/);
  });

  it.each(["0.0.0.0", "::", "0.0.0.0/0", "::/0", "0:0::0"])(
    "refuses the zero address %s",
    (text) => {
      expect(() => parseAcl(text)).toThrow(
        expect.objectContaining({
          code: "ERR_CODE_INVALID_ACL",
          message: expect.stringContaining(text),
        }),
      );
    },
  );

  it.each([
    "",
    "host",
    "1.2.3",
    "1.2.3.4/33",
    "1.2.3.4/",
    "1.2.3.4/8/8",
    "1.2.3.4,,5.6.7.8",
    "::1/129",
    "::ffff:1.2.3.4/95",
    "1.2.3.4/1e1",
  ])("refuses %j", (text) => {
    expect(() => parseAcl(text)).toThrow(expect.objectContaining({ code: "ERR_CODE_INVALID_ACL" }));
  });

  it("lets nobody in whose address is unknown", () => {
    expect(parseAcl("10.0.0.0/8").allows(undefined)).toBe(false);
  });
});
