import { type IpAddress, type IpBlock, isInBlock, parseBlock, parseIp } from "./ip.ts";

/**
 * Where clouds give a machine's own keys to whoever asks from it. A server that was taken over
 * would turn a tunnel to one of these into a login at the cloud.
 */
const METADATA_V4 = blocks(
  // AWS, Google, Azure, Oracle, OpenStack and most others; AWS's containers are beside it.
  "169.254.169.0/24",
  "169.254.170.0/24",
  // Tencent, Scaleway.
  "169.254.0.23",
  "169.254.42.42",
  // Alibaba, Oracle Classic, Azure's wire server.
  "100.100.100.200",
  "192.0.0.192",
  "168.63.129.16",
);
const METADATA_V6 = blocks(
  // AWS, Google, Oracle.
  "fd00:ec2::/32",
  "fd20:ce::254",
  "fd00:c1::a9fe:a9fe",
  // Akamai, Alibaba, Scaleway.
  "fd00:a9fe:a9fe::1",
  "fd00:100::100:200",
  "fd00:42::42",
);

/** Where an IPv4 address stands inside an IPv6 one: how many bits lie behind it. */
const EMBEDDINGS: readonly { readonly block: IpBlock; readonly behind: bigint }[] = [
  // Compatible (RFC 4291), translated (RFC 7915), and OpenStack's link-local form.
  ...blocks("::/96", "::ffff:0:0:0/96", "fe80::/96").map((block) => ({ block, behind: 0n })),
  // NAT64 (RFC 6052, RFC 8215); 6to4 (RFC 3056).
  ...blocks("64:ff9b::/96", "64:ff9b:1::/48").map((block) => ({ block, behind: 0n })),
  ...blocks("2002::/16").map((block) => ({ block, behind: 80n })),
];
/** NAT64 of a site's own, whose prefix of RFC 6052 may also have one of these lengths. */
const OWN_NAT64 = blocks("64:ff9b:1::/48");
const OWN_NAT64_PREFIXES = [48, 56, 64];
/** Teredo (RFC 4380) writes the address with every bit turned. */
const TEREDO = blocks("2001::/32");
/** ISATAP (RFC 5214): these 32 bits in front of the address, whatever the network. */
const ISATAP = [0x0000_5efen, 0x0200_5efen];
const LOW_32 = 0xffff_ffffn;

/**
 * Whether an address is one where a cloud gives out its secrets, in any spelling: IPv4 inside IPv6
 * (mapped, compatible, NAT64, 6to4, Teredo, ISATAP), or IPv6 with a zone. Names have to be looked
 * up before.
 */
export function isMetadata(address: string): boolean {
  const ip = parseIp(address);
  if (ip === undefined) return false;
  if (ip.family === 4) return isAny(METADATA_V4, ip);
  return isAny(METADATA_V6, ip) || embeddedIn(ip).some((inside) => isAny(METADATA_V4, inside));
}

/** The IPv4 addresses that a gateway might read out of an IPv6 one. */
function embeddedIn(ip: IpAddress): readonly IpAddress[] {
  const values = EMBEDDINGS.filter(({ block }) => isInBlock(ip, block)).map(
    ({ behind }) => ip.value >> behind,
  );
  if (isAny(OWN_NAT64, ip)) values.push(...splitForms(ip.value));
  if (isAny(TEREDO, ip)) values.push(~ip.value);
  if (ISATAP.includes((ip.value >> 32n) & LOW_32)) values.push(ip.value);
  return values.map((value) => ({ family: 4, value: value & LOW_32 }));
}

/** RFC 6052, 2.2: behind shorter prefixes the address goes around the eight bits from 64 on. */
function splitForms(value: bigint): readonly bigint[] {
  const around = ((value >> 64n) << 56n) | (value & ((1n << 56n) - 1n));
  return OWN_NAT64_PREFIXES.map((prefix) => around >> BigInt(120 - 32 - prefix));
}

function isAny(candidates: readonly IpBlock[], ip: IpAddress): boolean {
  return candidates.some((block) => isInBlock(ip, block));
}

function blocks(...written: readonly string[]): readonly IpBlock[] {
  return written.flatMap((text) => parseBlock(text) ?? []);
}
