import { isIP } from "node:net";
import { z } from "zod";
import { whyNotCidrs } from "../platform/addressRule.ts";
import { type PortRange, withoutOverlaps } from "../platform/portRanges.ts";

/** An address to listen on. `port` 0 takes any free one. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Seconds per unit of a duration. */
const UNIT_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };

const hostPortHelp = "host:port, such as 127.0.0.1:8080 or [::1]:8080";
const portsHelp = 'ports, such as 20000-30000 or ["20000-20050", "9000"]';
const durationHelp = "a duration from 1m to 1h, such as 90s or 10m";

/** `host:port`; an empty host means every address, as in Go. */
export const hostPort = parsed(parseHostPort, hostPortHelp);

/** `from-to` or one port, or several with commas between them; in a file also as a list. */
export const ports = z.preprocess(
  (given) => (isTexts(given) ? given.join(",") : given),
  parsed(parsePorts, portsHelp),
);

/** The same, or none at all: an empty text or list. */
export const noOrSomePorts = z.preprocess(
  (given) => (isTexts(given) ? given.join(",") : given),
  parsed((text) => (text.trim() === "" ? [] : parsePorts(text)), `${portsHelp}, or []`),
);

/** A pairing's time to live, in seconds. */
export const pairingTtlS = parsed(parseTtl, durationHelp);

/** An IP address of this machine. */
export const ipAddress = z
  .string()
  .refine((text) => isIP(text) !== 0, "has to be an IP address, such as 127.0.0.1");

/** An IP address, or a network, that is not everybody. */
export const network = z
  .string()
  .max(64)
  .refine(
    (text) => whyNotCidrs([text]) === undefined,
    "has to be an address or a network, such as 10.0.0.1 or 10.0.0.0/8",
  );

/** The address of a server, as agents or people use it. */
export const serverUrl = z
  .url({ protocol: /^https?$/, error: "has to be a URL that begins with http:// or https://" })
  .max(500);

/** Reads `host:port`; undefined when it is not. */
export function parseHostPort(text: string): HostPort | undefined {
  const parts = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]*)):(\d{1,5})$/.exec(text);
  const port = Number(parts?.[3]);
  if (parts === null || port > 65_535) return undefined;
  const host = parts[1] ?? parts[2] ?? "";
  return { host: host === "" ? "0.0.0.0" : host, port };
}

function isTexts(given: unknown): given is string[] {
  return Array.isArray(given) && given.every((one) => typeof one === "string");
}

function parsePorts(text: string): readonly PortRange[] | undefined {
  const ranges = text.replaceAll(" ", "").split(",").map(parseRange);
  const right = ranges.filter((range) => range !== undefined);
  return right.length === ranges.length ? withoutOverlaps(right) : undefined;
}

function parseRange(text: string): PortRange | undefined {
  const parts = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const from = Number(parts?.[1]);
  const to = Number(parts?.[2] ?? parts?.[1]);
  return parts !== null && from >= 1 && from <= to && to <= 65_535 ? { from, to } : undefined;
}

function parseTtl(text: string): number | undefined {
  const parts = /^(\d{1,5})(s|m|h)$/.exec(text);
  const seconds = Number(parts?.[1]) * (UNIT_S[parts?.[2] ?? ""] ?? Number.NaN);
  return seconds >= 60 && seconds <= 3_600 ? seconds : undefined;
}

function parsed<T>(parse: (text: string) => T | undefined, help: string) {
  return z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: "custom", message: `has to be ${help}` });
    return z.NEVER;
  });
}
