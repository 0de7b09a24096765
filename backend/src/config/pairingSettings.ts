import { BlockList, isIP } from "node:net";
import { wrongSetting } from "./check.ts";
import type { Settings } from "./settings.ts";

/** A pairing service apart from this server. */
export interface PairingElsewhere {
  readonly url: string;
  readonly service: "sealed" | "rport-pairing";
  /** A file with the key by which a service of ours knows this server; undefined: it has no list. */
  readonly keyFile: string | undefined;
}

const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ["127.0.0.0", 8],
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["169.254.0.0", 16],
  ["100.64.0.0", 10],
] as const) {
  PRIVATE.addSubnet(network, prefix);
}
for (const [network, prefix] of [
  ["::1", 128],
  ["fc00::", 7],
  ["fe80::", 10],
] as const) {
  PRIVATE.addSubnet(network, prefix, "ipv6");
}

/**
 * The pairing service that `[pairing] url` names, if it names one. Fails with a `StartFailure` when keys
 * miss the one that they belong to, and where secrets would go in plain text to a host in public.
 */
export function pairingElsewhere(settings: Settings["pairing"]): PairingElsewhere | undefined {
  const {
    url,
    service = "sealed",
    key_file: keyFile,
    plain_text: isPlain = false,
  } = settings ?? {};
  if (url === undefined) {
    for (const key of ["service", "key_file", "plain_text"] as const) {
      if (settings?.[key] !== undefined) throw wrongSetting(`pairing.${key} needs pairing.url.`);
    }
    return undefined;
  }
  const { protocol, hostname } = new URL(url);
  const isNear = isPrivateHost(hostname);
  if (protocol === "http:" && !isNear) {
    throw wrongSetting("pairing.url has to begin with https:// unless it is in a private network.");
  }
  if (service === "rport-pairing" && !isNear && !isPlain) {
    const why = "RPort's pairing service keeps secrets in plain text for whoever knows a code";
    throw wrongSetting(`${why}: set pairing.plain_text = true to send them to ${hostname}.`);
  }
  return { url: url.replace(/\/+$/, ""), service, keyFile };
}

/** An address of a private network, or a name that only such a network knows. */
function isPrivateHost(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, "");
  const family = isIP(bare);
  if (family !== 0) return PRIVATE.check(bare, family === 4 ? "ipv4" : "ipv6");
  return !bare.includes(".") || /\.(local|localhost|internal|lan|home\.arpa)$/i.test(bare);
}
