import { isIP, isIPv4 } from "node:net";

/** An address as a number; an IPv4 address inside IPv6 (`::ffff:a.b.c.d`) counts as IPv4. */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** A block of addresses: those that share the first `prefix` bits. */
export interface IpBlock extends IpAddress {
  readonly prefix: number;
}

const BITS = { 4: 32, 6: 128 } as const;
/** The first 96 bits of an IPv4 address inside IPv6 (RFC 4291, 2.5.5.2). */
const MAPPED_PREFIX = 0xffffn;

/** Parses an IPv4 or IPv6 address; a zone (`%eth0`) is dropped. Undefined when it is neither. */
export function parseIp(text: string): IpAddress | undefined {
  const bare = text.split("%", 1)[0] ?? "";
  const kind = isIP(bare);
  if (kind === 4) return { family: 4, value: joinParts(bare.split("."), 8n, 10) };
  if (kind !== 6) return undefined;
  const value = parseV6(bare);
  return value >> 32n === MAPPED_PREFIX
    ? { family: 4, value: value & 0xffff_ffffn }
    : { family: 6, value };
}

/** Parses `address` or `address/prefix`. Undefined when it is neither. */
export function parseBlock(text: string): IpBlock | undefined {
  const [address = "", length, surplus] = text.split("/");
  const ip = parseIp(address);
  if (ip === undefined || surplus !== undefined || address.includes("%")) return undefined;
  const bits = BITS[ip.family];
  if (length === undefined) return { ...ip, prefix: bits };
  const isMapped = ip.family === 4 && !isIPv4(address);
  const prefix = /^[0-9]{1,3}$/.test(length) ? Number(length) - (isMapped ? 96 : 0) : -1;
  return prefix >= 0 && prefix <= bits ? { ...ip, prefix } : undefined;
}

/** Whether an address lies in a block. */
export function isInBlock(ip: IpAddress, block: IpBlock): boolean {
  if (ip.family !== block.family) return false;
  const shift = BigInt(BITS[block.family] - block.prefix);
  return ip.value >> shift === block.value >> shift;
}

/** Whether a block is a single address. */
export function isWhole({ family, prefix }: IpBlock): boolean {
  return prefix === BITS[family];
}

function parseV6(text: string): bigint {
  const [head = "", tail] = text.split("::");
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const gap = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return joinParts([...before, ...gap, ...after], 16n, 16);
}

/** The 16-bit groups of one side of `::`; a dotted IPv4 end becomes two of them. */
function groups(side: string): string[] {
  if (side === "") return [];
  return side.split(":").flatMap((group) => {
    if (!group.includes(".")) return [group];
    const value = joinParts(group.split("."), 8n, 10);
    return [(value >> 16n).toString(16), (value & 0xffffn).toString(16)];
  });
}

function joinParts(parts: readonly string[], width: bigint, base: 10 | 16): bigint {
  return parts.reduce((sum, part) => (sum << width) | BigInt(Number.parseInt(part, base)), 0n);
}
