import { isIPv4, isIPv6, SocketAddress } from "node:net";

/** What stands before an IPv4 address inside IPv6, in the form that Node writes. */
const MAPPED = "::ffff:";

/**
 * The IPv4 address inside an IPv6 one (`::ffff:192.0.2.1`, as dual-stack sockets show IPv4 peers,
 * in any spelling), in its plain form. Every other text is answered as it is.
 */
export function unmapped(address: string): string {
  if (!isIPv6(address)) return address;
  const canonical = canonicalOf(address);
  const inner = canonical.startsWith(MAPPED) ? canonical.slice(MAPPED.length) : "";
  return isIPv4(inner) ? inner : address;
}

/** Whether an address is this machine itself. */
export function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}

/**
 * The part of an address that one host cannot change at will: an IPv4 address, or the /64 of an
 * IPv6 address. A text that is no address is answered as it is.
 */
export function networkOf(address: string): string {
  const plain = unmapped(address.replace(/%.*$/, ""));
  return isIPv6(plain) ? `${groupsOf(plain).slice(0, 4).join(":")}::/64` : plain;
}

/**
 * The networks that an address lies in, from the widest to `networkOf`: what one provider, one
 * customer and one host may have. /32, /48 and /64 of an IPv6 address, /16 and /24 of an IPv4
 * address. All the same text for what is no address.
 */
export function prefixesOf(address: string): readonly [string, string, string] {
  const network = networkOf(address);
  const plain = unmapped(address.replace(/%.*$/, ""));
  if (isIPv6(plain)) {
    const groups = groupsOf(plain);
    return [
      `${groups.slice(0, 2).join(":")}::/32`,
      `${groups.slice(0, 3).join(":")}::/48`,
      network,
    ];
  }
  if (!isIPv4(plain)) return [network, network, network];
  const parts = plain.split(".");
  return [`${parts.slice(0, 2).join(".")}/16`, `${parts.slice(0, 3).join(".")}/24`, network];
}

/** The eight groups of an IPv6 address. */
function groupsOf(plain: string): readonly string[] {
  const [head = "", tail] = canonicalOf(plain).split("::");
  const leading = head === "" ? [] : head.split(":");
  const trailing = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: 8 - leading.length - trailing.length }, () => "0");
  return tail === undefined ? leading : [...leading, ...zeros, ...trailing];
}

function canonicalOf(ipv6: string): string {
  return new SocketAddress({ address: ipv6, family: "ipv6" }).address;
}
