import { BlockList, isIP } from "node:net";
import { networkInterfaces } from "node:os";

const ANY: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/** Whether this machine has the address, or it stands for all that it has. */
export function isOwnAddress(address: string): boolean {
  if (ANY.has(address)) return true;
  const own = new BlockList();
  own.addSubnet("127.0.0.0", 8, "ipv4");
  own.addAddress("::1", "ipv6");
  for (const one of Object.values(networkInterfaces()).flat()) {
    if (one !== undefined) own.addAddress(withoutScope(one.address), family(one.address));
  }
  return own.check(withoutScope(address), family(address));
}

function withoutScope(address: string): string {
  return address.replace(/%.*$/, "");
}

function family(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 4 ? "ipv4" : "ipv6";
}
