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
  if (!isIPv6(plain)) return plain;
  const [head = "", tail] = canonicalOf(plain).split("::");
  const leading = head === "" ? [] : head.split(":");
  const trailing = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: 8 - leading.length - trailing.length }, () => "0");
  const groups = tail === undefined ? leading : [...leading, ...zeros, ...trailing];
  return `${groups.slice(0, 4).join(":")}::/64`;
}

function canonicalOf(ipv6: string): string {
  return new SocketAddress({ address: ipv6, family: "ipv6" }).address;
}
