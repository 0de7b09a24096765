import { z } from "zod";
import { LIMIT_NAMES, LIMITS, type LimitName } from "../limits/limitTable.ts";
import { LOG_LEVELS } from "../platform/log.ts";
import {
  hostPort,
  ipAddress,
  network,
  noOrSomePorts,
  pairingTtlS,
  ports,
  serverUrl,
} from "./values.ts";

type LimitShape = { readonly [N in LimitName]: z.ZodNumber };

/** A whole number for each limit, within what its row allows. */
function limitShape(): LimitShape {
  const keys = LIMIT_NAMES.map((name) => {
    const { least, most } = LIMITS[name];
    return [name, z.int().min(least).max(most)];
  });
  return Object.fromEntries(keys) as LimitShape;
}

/** Every section and key there is: RPort's names where RPort has the setting. */
export const settingsSchema = z
  .strictObject({
    server: z
      .strictObject({
        /** Agents and pairing; also users, unless `api.address` says otherwise. */
        address: hostPort,
        data_dir: z.string().min(1),
        /** The server's key is derived from it, instead of from a random file. */
        key_seed: z.string().min(1),
        /** Where agents reach the server from outside, best first. */
        url: z.union([z.array(serverUrl).min(1).max(8), serverUrl.transform((url) => [url])]),
        /** Ports that tunnels may listen on. */
        used_ports: ports,
        /** Ports of those that they may not listen on. */
        excluded_ports: noOrSomePorts,
        /** Proxies in front, whose `X-Forwarded-For` counts. Ours. */
        trusted_proxies: z.array(network).max(64),
        /** Fewest characters of a typed client password. Ours. */
        client_auth_password_min_length: z.int().min(3).max(128),
        /** Ours: what TLS is spoken with; for people, too, unless `api` says otherwise. */
        cert_file: z.string().min(1),
        key_file: z.string().min(1),
        tls: z.enum(["self-signed"]),
        tls_min: z.enum(["1.2", "1.3"]),
      })
      .partial(),
    api: z
      .strictObject({
        address: hostPort,
        /** What TLS is spoken with on an address of people's own. */
        cert_file: z.string().min(1),
        key_file: z.string().min(1),
        tls_min: z.enum(["1.2", "1.3"]),
        /** Fewest characters of a user's password. */
        password_min_length: z.int().min(8).max(128),
        /** Ours: whether everybody has to have a second factor. */
        totp_required: z.boolean(),
      })
      .partial(),
    /** Ours: figures for Prometheus on an address of their own, without a token. */
    metrics: z.strictObject({ address: hostPort }).partial(),
    /** Ours: where tunnels listen unless a request says otherwise. */
    tunnels: z.strictObject({ bind: ipAddress }).partial(),
    /** Ours: terminals that people open on hosts. */
    terminals: z
      .strictObject({
        /** Whether all of them are recorded, whichever client they are on. */
        record: z.boolean(),
      })
      .partial(),
    /** Ours: how long a pasted line works, and where hosts claim from. */
    pairing: z
      .strictObject({
        ttl: pairingTtlS,
        /** A pairing service apart from this server. */
        url: serverUrl,
        service: z.enum(["sealed", "rport-pairing"]),
        key_file: z.string().min(1),
        plain_text: z.boolean(),
        /** Of `rport-backend pairing`: who may deposit. */
        keys_file: z.string().min(1),
      })
      .partial(),
    /** Ours: see the table of limits. */
    limits: z.strictObject(limitShape()).partial(),
    logging: z
      .strictObject({ log_level: z.enum(LOG_LEVELS), log_file: z.string().min(1) })
      .partial(),
  })
  .partial();

/** What one source says. */
export type Settings = z.infer<typeof settingsSchema>;

/** Values before they are checked: section, then key. */
export type RawSettings = Record<string, Record<string, unknown>>;

/** The keys of each section. */
export const SECTIONS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(settingsSchema.shape).map(([name, section]) => [
    name,
    Object.keys(section.unwrap().shape),
  ]),
);

/** Keys whose value a message never repeats. */
export const SECRET_KEYS: readonly string[] = ["server.key_seed"];
/** Keys that are numbers; elsewhere than in the file they come as text. */
export const NUMBER_KEYS: readonly string[] = [
  "server.client_auth_password_min_length",
  "api.password_min_length",
  ...LIMIT_NAMES.map((name) => `limits.${name}`),
];
/** Keys that are true or false; elsewhere than in the file they come as text. */
export const BOOLEAN_KEYS: readonly string[] = [
  "api.totp_required",
  "terminals.record",
  "pairing.plain_text",
];
/** Keys that are lists; elsewhere than in the file, commas separate their items. */
export const LIST_KEYS: readonly string[] = ["server.url", "server.trusted_proxies"];
