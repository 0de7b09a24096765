import { BlockList, isIP } from "node:net";
import type { CredentialLimits } from "@rport/protocol/model";
import { unmapped } from "./network.ts";

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

/** Why a list of networks cannot be a limit; `undefined` when it can. */
export function whyNotCidrs(cidrs: CredentialLimits["cidrs"]): string | undefined {
  const wrong = cidrs.find((cidr) => !addNetwork(new BlockList(), cidr));
  return wrong === undefined
    ? undefined
    : `"${wrong}" is no network: write it as 192.0.2.0/24 or 2001:db8::/32.`;
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
