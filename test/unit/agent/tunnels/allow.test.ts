import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  METADATA_NOT_ALLOWED,
  parseRule,
  type TunnelRule,
  whyForbidden,
} from "../../../../agent/src/tunnels/allow.ts";
import { parseIp } from "../../../../agent/src/tunnels/ip.ts";

function rules(...written: string[]): TunnelRule[] {
  return written.map((text) => {
    const rule = parseRule(text);
    if (rule === undefined) throw new Error(`${text} is no rule`);
    return rule;
  });
}

function isTargetAllowed(some: readonly TunnelRule[], addresses: readonly string[], port: number) {
  return whyForbidden(some, addresses, port) === undefined;
}

describe("tunnel_allowed", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1", 22, true],
    ["192.0.2.1", "192.0.2.2", 22, false],
    ["192.0.2.0/24", "192.0.2.200", 1, true],
    ["192.0.2.0/24", "192.0.3.1", 1, false],
    ["192.0.2.0/24:22", "192.0.2.9", 22, true],
    ["192.0.2.0/24:22", "192.0.2.9", 23, false],
    ["192.0.2.1:22", "192.0.2.1", 22, true],
    ["22", "203.0.113.7", 22, true],
    ["22", "2001:db8::1", 22, true],
    ["22", "203.0.113.7", 23, false],
    [":22", "127.0.0.1", 22, true],
    [":22", "::1", 22, true],
    [":22", "192.0.2.1", 22, false],
    [":22", "127.0.0.1", 23, false],
    ["0.0.0.0/0", "192.0.2.1", 5, true],
    ["0.0.0.0/0", "2001:db8::1", 5, false],
    ["::/0", "2001:db8::1", 5, true],
    ["::/0", "192.0.2.1", 5, false],
    ["2001:db8::/32", "2001:db8:ffff::1", 5, true],
    ["2001:db8::/32", "2001:db9::1", 5, false],
    ["[2001:db8::1]:443", "2001:db8::1", 443, true],
    ["[2001:db8::1]:443", "2001:db8::1", 444, false],
    ["[2001:db8::/32]:443", "2001:db8::9", 443, true],
    ["[2001:db8::]/32:443", "2001:db8::9", 443, true],
    ["192.0.2.1", "::ffff:192.0.2.1", 22, true],
    ["::ffff:192.0.2.0/120", "192.0.2.77", 22, true],
    ["fe80::/10", "fe80::1%eth0", 22, true],
  ] as const)("%s and %s port %i: %s", (...[rule, address, port, expected]) => {
    expect(isTargetAllowed(rules(rule), [address], port)).toBe(expected);
  });

  it.each([
    "",
    "localhost",
    "host:22",
    "0",
    "65536",
    ":0",
    ":65536",
    "192.0.2.1:",
    "192.0.2.1:22:23",
    "192.0.2.0/33",
    "192.0.2.0/-1",
    "192.0.2.0/24/8",
    "192.0.2.256",
    "0x7f.1",
    "2001:db8::g",
    "[192.0.2.1",
    "22-23",
  ])("%j is no rule", (written) => {
    expect(parseRule(written)).toBeUndefined();
  });

  it("allows everything when there are no rules, also what has no address yet", () => {
    expect(isTargetAllowed([], [], 22)).toBe(true);
    expect(isTargetAllowed([], ["192.0.2.1"], 22)).toBe(true);
  });

  it("S-26: wants every address of a name to be allowed, and at least one", () => {
    const some = rules("192.0.2.1", "192.0.2.2:22");
    expect(isTargetAllowed(some, ["192.0.2.1", "192.0.2.2"], 22)).toBe(true);
    expect(isTargetAllowed(some, ["192.0.2.1", "192.0.2.2"], 23)).toBe(false);
    expect(isTargetAllowed(some, ["192.0.2.1", "169.254.169.254"], 22)).toBe(false);
    expect(isTargetAllowed(some, [], 22)).toBe(false);
    expect(isTargetAllowed(some, ["not an address"], 22)).toBe(false);
  });

  it.each([
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "169.254.42.42",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "FD00:0EC2:0:0::254",
    "fd00:ec2::254%eth0",
    "fd20:ce::254",
    "fd00:c1::a9fe:a9fe",
    "fd00:a9fe:a9fe::1",
    "fd00:100::100:200",
    "fd00:42::42",
    "fe80::a9fe:a9fe",
    "fe80::a9fe:a9fe%eth0",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "::169.254.169.254",
    "::ffff:0:169.254.169.254",
    "64:ff9b::169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::169.254.169.254",
    "64:ff9b:1:a9fe:a9:fe00::",
    "64:ff9b:1:a9:fe:a9fe::",
    "64:ff9b:1:0:a9:fea9:fe00::",
    "2002:a9fe:a9fe::1",
    "2001:0:5ef5:79fb::5601:5601",
    "2001:db8::5efe:169.254.169.254",
    "2001:db8::200:5efe:100.100.100.200",
  ])("S-33: keeps a cloud's metadata from tunnels unless it is named: %s", (address) => {
    const broad = ["0.0.0.0/0", "::/0", "80", "169.254.0.0/16", "169.254.169.254/31", "fe80::/10"];
    expect(whyForbidden([], [address], 80)).toBe(METADATA_NOT_ALLOWED);
    expect(whyForbidden(rules(...broad), [address], 80)).toBe(METADATA_NOT_ALLOWED);
    expect(whyForbidden(rules(...broad), ["192.0.2.1", address], 80)).toBe(METADATA_NOT_ALLOWED);
    const [bare = ""] = address.split("%");
    expect(whyForbidden(rules(bare), [address], 80)).toBeUndefined();
    expect(whyForbidden(rules(bare, "0.0.0.0/0"), [address], 80)).toBeUndefined();
    const withPort = bare.includes(":") ? `[${bare}]:80` : `${bare}:80`;
    expect(whyForbidden(rules(withPort), [address], 80)).toBeUndefined();
    expect(whyForbidden(rules(withPort, "0.0.0.0/0", "::/0"), [address], 81)).toBe(
      METADATA_NOT_ALLOWED,
    );
  });

  it.each([
    "169.254.1.1",
    "100.100.100.100",
    "192.0.0.1",
    "168.63.129.17",
    "fd00:ec3::254",
    "fe80::1",
    "64:ff9b::192.0.2.1",
    "64:ff9b:1:c000:2:100::",
    "fd00:c1::1",
    "2002:c000:201::1",
    "2001:db8::a9fe:a9fe",
  ])("takes %s for no cloud's metadata", (address) => {
    expect(isTargetAllowed([], [address], 80)).toBe(true);
  });

  it("reads every written form of an address as the same number", () => {
    const forms = ["2001:db8::1", "2001:0DB8:0:0:0:0:0:1", "2001:db8:0:0::1"].map(parseIp);
    expect(new Set(forms.map((ip) => ip?.value)).size).toBe(1);
    expect(parseIp("::")).toEqual({ family: 6, value: 0n });
    expect(parseIp("1::")).toEqual({ family: 6, value: 1n << 112n });
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const groups = new URL(`http://[${address}]/`).hostname.slice(1, -1);
        expect(parseIp(groups)).toEqual(parseIp(address));
      }),
    );
  });
});
