import { BlockList, isIP } from "node:net";
import type { CredentialLimits } from "@rport/protocol/model";
import { unmapped } from "./network.ts";

const ALL_ONES = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

/** Which addresses may use a credential. */
export type AddressRule = (address: string) => boolean;

/** The rule of a list of networks; an empty list allows every address. */
export function addressRule(cidrs: CredentialLimits["cidrs"]): AddressRule {
  if (cidrs.length === 0) return () => true;
  const networks = new BlockList();
  for (const cidr of cidrs) addNetwork(networks, cidr);
  return (address) => {
    const plain = unmapped(address);
    const family = isIP(plain);
    return family !== 0 && networks.check(plain, family === 4 ? "ipv4" : "ipv6");
  };
}

/**
 * Whether a list lets in every address of a family, as with a prefix of length 0 or a network of IPv6
 * that has all of IPv4 in it: whoever wrote that meant something else.
 */
export function isEverybody(networks: BlockList): boolean {
  const [low4, high4, low6, high6] = ["0.0.0.0", "255.255.255.255", "::", ALL_ONES];
  if (networks.check(low4, "ipv4") && networks.check(high4, "ipv4")) return true;
  return networks.check(low6, "ipv6") && networks.check(high6, "ipv6");
}

/** Why a list of networks cannot be a limit; `undefined` when it can. */
export function whyNotCidrs(cidrs: CredentialLimits["cidrs"]): string | undefined {
  for (const cidr of cidrs) {
    const networks = new BlockList();
    if (!addNetwork(networks, cidr)) {
      return `"${cidr}" is no network: write it as 192.0.2.0/24 or 2001:db8::/32.`;
    }
    if (isEverybody(networks)) return `"${cidr}" means everybody; leave it out for that.`;
  }
  return undefined;
}

function addNetwork(networks: BlockList, cidr: string): boolean {
  const parts = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(cidr);
  const address = parts?.[1] ?? "";
  const family = isIP(address);
  const longest = family === 4 ? 32 : 128;
  const length = Number(parts?.[2] ?? longest);
  if (family === 0 || length > longest) return false;
  networks.addSubnet(address, length, family === 4 ? "ipv4" : "ipv6");
  return true;
}
