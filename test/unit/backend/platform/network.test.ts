import { describe, expect, it } from "vitest";
import { whyNotCidrs } from "../../../../backend/src/platform/addressRule.ts";
import { networkOf, unmapped } from "../../../../backend/src/platform/network.ts";

describe("an address", () => {
  it.each([
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:192.0.2.1", "192.0.2.1"],
    ["::ffff:c000:201", "192.0.2.1"],
    ["0:0:0:0:0:ffff:c000:201", "192.0.2.1"],
    ["192.0.2.1", "192.0.2.1"],
    ["2001:db8::1", "2001:db8::1"],
    ["::ffff:0:192.0.2.1", "::ffff:0:192.0.2.1"],
    ["::ffff:host", "::ffff:host"],
    ["", ""],
  ])("%j is %j, once IPv4 inside IPv6 is plain", (written, plain) => {
    expect(unmapped(written)).toBe(plain);
  });

  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["somewhere", "somewhere"],
  ])("%j belongs to the network %j", (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

describe("S-25 a network that is to bound a credential", () => {
  it.each(["0.0.0.0/0", "192.0.2.1/0", "::/0", "2001:db8::/0", "::ffff:192.0.2.1/96", "::1/64"])(
    "is refused when it has everybody in it: %s",
    (cidr) => {
      expect(whyNotCidrs(["192.0.2.0/24", cidr])).toMatch(/means everybody/);
    },
  );

  it.each(["0.0.0.0/1", "::/97", "2001:db8::/32", "::ffff:192.0.2.0/120", "::1"])(
    "is taken when somebody is outside: %s",
    (cidr) => {
      expect(whyNotCidrs([cidr])).toBeUndefined();
    },
  );
});
