import { type IpBlock, isInBlock, isWhole, parseBlock, parseIp } from "./ip.ts";
import { isMetadata } from "./metadata.ts";

/** One entry of `client.tunnel_allowed`. A part that is missing matches everything. */
export interface TunnelRule {
  readonly written: string;
  readonly blocks: readonly IpBlock[];
  readonly port?: number;
}

/** `:port` means this host: RPort documents it so. */
const LOOPBACK: readonly IpBlock[] = ["127.0.0.0/8", "::1"].flatMap((text) => {
  const block = parseBlock(text);
  return block === undefined ? [] : [block];
});

/** The failure text for a target that the rules forbid; RPort's own words. */
export const NOT_ALLOWED = 'not allowed with "tunnel_allowed" config';
/** The same for an address where a cloud gives out its secrets. */
export const METADATA_NOT_ALLOWED = `${NOT_ALLOWED}: a cloud's metadata has to be named there`;

/**
 * Parses an entry: `IP`, `CIDR`, `port` (on any host), `:port` (on this host), `IP:port`,
 * `CIDR:port`; IPv6 needs brackets in front of a port (`[2001:db8::/32]:443`). Undefined when it is
 * none of these.
 */
export function parseRule(written: string): TunnelRule | undefined {
  const text = written.trim();
  const whole = parseBlock(strip(text));
  if (whole !== undefined) return { written, blocks: [whole] };
  const colon = text.lastIndexOf(":");
  const port = parsePort(text.slice(colon + 1));
  if (port === undefined) return undefined;
  if (colon < 0) return { written, blocks: [], port };
  if (colon === 0) return { written, blocks: LOOPBACK, port };
  return parseWithPort(written, text.slice(0, colon), port);
}

/**
 * Why the rules forbid a target, for the one who asks; undefined: every one of its addresses may be
 * reached at the port. No rules: everything may, but a cloud's metadata, which only a rule with its
 * very address allows. A target without addresses is never allowed when there are rules.
 */
export function whyForbidden(
  rules: readonly TunnelRule[],
  addresses: readonly string[],
  port: number,
): string | undefined {
  if (!addresses.filter(isMetadata).every((address) => isNamed(rules, address, port))) {
    return METADATA_NOT_ALLOWED;
  }
  if (rules.length === 0) return undefined;
  const isAllowed = (address: string) => rules.some((rule) => matches(rule, address, port));
  return addresses.length > 0 && addresses.every(isAllowed) ? undefined : NOT_ALLOWED;
}

/** A rule for a network, for a port alone or for everything does not mean a cloud's secrets. */
function isNamed(rules: readonly TunnelRule[], address: string, port: number): boolean {
  const isOne = ({ blocks }: TunnelRule) => blocks.length > 0 && blocks.every(isWhole);
  return rules.some((rule) => isOne(rule) && matches(rule, address, port));
}

function matches(rule: TunnelRule, address: string, port: number): boolean {
  if (rule.port !== undefined && rule.port !== port) return false;
  if (rule.blocks.length === 0) return true;
  const ip = parseIp(address);
  return ip !== undefined && rule.blocks.some((block) => isInBlock(ip, block));
}

function parseWithPort(written: string, host: string, port: number): TunnelRule | undefined {
  const isBracketed = host.startsWith("[");
  if (host.includes(":") && !isBracketed) return undefined;
  const block = parseBlock(isBracketed ? strip(host) : host);
  return block === undefined ? undefined : { written, blocks: [block], port };
}

/** `[a]`, `[a/n]` and `[a]/n` without their brackets. */
function strip(text: string): string {
  const [, inside = text, behind = ""] = /^\[([^\]]+)\](\/[0-9]+)?$/.exec(text) ?? [];
  return inside + behind;
}

function parsePort(text: string): number | undefined {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}
