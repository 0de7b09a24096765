import { BlockList, isIP } from "node:net";
import { RportError } from "@rport/protocol/errors";
import { addressRule, isEverybody } from "../platform/addressRule.ts";
import { unmapped } from "../platform/network.ts";

/** Prefix length of `::ffff:0:0/96`, under which IPv6 sockets show IPv4 peers. */
const MAPPED_PREFIX_BITS = 96;
const isUnspecified = addressRule(["0.0.0.0", "::"]);

interface Address {
  readonly text: string;
  readonly family: "ipv4" | "ipv6";
  /** Whether it was written as IPv4 inside IPv6. */
  readonly isMapped: boolean;
}

/** Which peers may use a tunnel. */
export interface Acl {
  /** The list as it was given, for display and comparison. */
  readonly text: string;
  /** Whether a peer with this address, as a socket reports it, may connect. */
  allows(peerAddress: string | undefined): boolean;
}

/**
 * Parses RPort's comma list of IPv4 and IPv6 addresses and networks. Throws
 * `ERR_CODE_INVALID_ACL` naming the entry; the zero addresses are refused, since they look like
 * "this host" and would mean "everybody", and so are networks that have everybody in them.
 */
export function parseAcl(text: string): Acl {
  const allowed = new BlockList();
  for (const entry of text.split(",")) addEntry(allowed, entry.trim());
  return {
    text,
    allows: (peerAddress) => {
      const peer = readAddress(peerAddress?.replace(/%.*$/, "") ?? "");
      return peer !== undefined && allowed.check(peer.text, peer.family);
    },
  };
}

function addEntry(list: BlockList, entry: string): void {
  const [written = "", prefixText, ...more] = entry.split("/");
  const address = readAddress(written);
  if (address === undefined || more.length > 0) throw invalid(entry, "is no address or network");
  if (isUnspecified(address.text)) throw invalid(entry, "would allow everybody");
  if (prefixText === undefined) {
    list.addAddress(address.text, address.family);
    return;
  }
  const prefix = readPrefix(address, prefixText);
  if (prefix === undefined) throw invalid(entry, "has no valid prefix length");
  const alone = new BlockList();
  alone.addSubnet(address.text, prefix, address.family);
  if (isEverybody(alone)) throw invalid(entry, "would allow everybody");
  list.addSubnet(address.text, prefix, address.family);
}

function readPrefix(address: Address, text: string): number | undefined {
  if (!/^\d{1,3}$/.test(text)) return undefined;
  const bits = Number(text) - (address.isMapped ? MAPPED_PREFIX_BITS : 0);
  const longest = address.family === "ipv4" ? 32 : 128;
  return bits >= 0 && bits <= longest ? bits : undefined;
}

/** IPv4 inside IPv6 becomes plain IPv4. */
function readAddress(written: string): Address | undefined {
  const text = unmapped(written);
  const version = isIP(text);
  if (version === 0) return undefined;
  return { text, family: version === 4 ? "ipv4" : "ipv6", isMapped: text !== written };
}

function invalid(entry: string, problem: string): RportError {
  const shown = JSON.stringify(entry.slice(0, 80));
  return new RportError("ERR_CODE_INVALID_ACL", `The ACL entry ${shown} ${problem}.`);
}
