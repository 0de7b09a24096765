import { accountSchema, HELD_TERMINALS_MAX } from "@rport/protocol/terminal/terminal";
import { tlsPinSchema } from "@rport/protocol/tls/tlsPin";
import { z } from "zod";
import { parseRule } from "../tunnels/allow.ts";
import { parseRemoteSpec } from "../tunnels/remoteSpec.ts";
import { parseDuration } from "./duration.ts";
import { parseProxyUrl } from "./proxyUrl.ts";
import { normaliseServerUrl } from "./serverUrl.ts";
import { weakCount, weakFlag, weakList, weakTable, weakText } from "./weakly.ts";

/** Longest text of a configuration value. */
const TEXT_MAX = 4_000;
const text = z.string().max(TEXT_MAX);
/** The same where RPort's reader would take a number, too. */
const words = weakText(text);
const texts = weakList(text, 1_000);

const serverUrl = text.transform((written, context) => {
  const parsed = normaliseServerUrl(written);
  if (parsed.ok) return parsed.url;
  context.addIssue({ code: "custom", message: parsed.reason });
  return z.NEVER;
});

/** What repeats more often keeps both ends busy with nothing else. */
const SHORTEST_MS = 10;
const TOO_SHORT =
  'is shorter than 10ms; a number alone means nanoseconds, so give a unit: "30s", "2m"';

const duration = z.union([text, z.number()]).transform((written, context) => {
  const ms = parseDuration(written);
  const isTooShort = ms !== undefined && ms > 0 && ms < SHORTEST_MS;
  if (ms !== undefined && !isTooShort) return ms;
  const message = isTooShort ? TOO_SHORT : 'must be a duration such as "30s" or "2m"';
  context.addIssue({ code: "custom", message });
  return z.NEVER;
});

const fingerprint = text.regex(
  /^(SHA256:[A-Za-z0-9+/]{43}|[0-9a-f]{2}(:[0-9a-f]{2}){15})$/,
  "must be a whole fingerprint of the server: SHA256: and 43 characters, or 16 pairs of lower-case hexadecimal digits with colons between them",
);

/** The id is cut off at the first colon: a password may contain colons. */
const auth = text.transform((written, context) => {
  const colon = written.indexOf(":");
  if (colon > 0 && colon < written.length - 1) {
    return { authId: written.slice(0, colon), secret: written.slice(colon + 1) };
  }
  context.addIssue({ code: "custom", message: 'must be "<auth id>:<secret>"' });
  return z.NEVER;
});

/** What Node sends; it would refuse others at each attempt to connect. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

const hostHeader = text.regex(/^[\x21-\x7e]*$/, "must be a host name, with or without a port");

const header = text.transform((written, context) => {
  const [, name, value = ""] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)$/s.exec(written) ?? [];
  const isSendable = HEADER_VALUE.test(value);
  if (name !== undefined && isSendable) return { name, value: value.trim() };
  const message = isSendable ? 'must be "Name: value"' : "has letters that no header can have";
  context.addIssue({ code: "custom", message });
  return z.NEVER;
});

const proxy = text.superRefine((written, context) => {
  const parsed = written === "" ? undefined : parseProxyUrl(written);
  if (typeof parsed === "string") context.addIssue({ code: "custom", message: parsed });
});

const rule = text.transform((written, context) => {
  const parsed = parseRule(written);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: "custom", message: "must be an IP address, a CIDR, a port, or both" });
  return z.NEVER;
});

const remote = text.transform((written, context) => {
  const parsed = parseRemoteSpec(written);
  if (parsed !== undefined) return parsed;
  const message = "must be [[local host:]local port:][remote host:]remote port[/protocol]";
  context.addIssue({ code: "custom", message });
  return z.NEVER;
});

/** Together with as many whose end nobody was told of they are what a server takes. */
const MOST_TERMINALS = HELD_TERMINALS_MAX / 2;

/** Keys that have an effect, by section. */
const USED = {
  client: {
    server: serverUrl,
    fallback_servers: weakList(serverUrl, 8).default([]),
    server_switchback_interval: duration.default(120_000),
    fingerprint,
    auth,
    proxy: proxy.default(""),
    use_system_id: weakFlag().default(true),
    id: weakText(text.max(128)).default(""),
    use_hostname: weakFlag().default(true),
    name: weakText(text.max(1_000)).default(""),
    tags: texts.default([]),
    labels: weakTable(text).default({}),
    attributes_file_path: words.default(""),
    remotes: weakList(remote, 64).default([]),
    tunnel_allowed: weakList(rule, 1_000).default([]),
    data_dir: words.default(""),
    /** Ours: whether people are told which ports of this host somebody listens on. */
    tell_listening_ports: weakFlag().default(true),
    /** Ours: the server's TLS key is one of these, and its certificate is not looked at. */
    tls_pin: weakList(tlsPinSchema, 4).default([]),
  },
  connection: {
    keep_alive: duration.default(180_000),
    keep_alive_timeout: duration
      .refine((ms) => ms > 0, "must be longer than nothing: no answer is that fast")
      .default(30_000),
    headers: weakList(header, 100).default([]),
    hostname: weakText(hostHeader).default(""),
  },
  logging: {
    log_file: words.default(""),
    log_level: z
      .preprocess(
        (value) => (typeof value === "string" ? value.toLowerCase() : value),
        z.enum(["error", "warn", "info", "debug"]),
      )
      .default("info"),
  },
  /** Ours: who may open shells on this host. RPort's client ignores it. */
  terminal: {
    enabled: weakFlag().default(false),
    accounts: weakList(accountSchema, 16).default([]),
    max: weakCount(1, MOST_TERMINALS).default(16),
    idle_timeout: duration.default(0),
    shell: words.default(""),
    shell_integration: weakFlag().default(true),
  },
} as const;

/** Keys of RPort without an effect here; their values are accepted whatever they are. */
const IGNORED: Readonly<Record<keyof typeof USED, readonly string[]>> = {
  client: ["allow_root", "updates_interval", "bind_interface", "ip_api_url", "ip_refresh_min"],
  connection: ["max_retry_count", "max_retry_interval", "watchdog_integration"],
  logging: [],
  terminal: [],
};

/** Sections of RPort without an effect here. */
const IGNORED_SECTIONS = [
  "remote-commands",
  "remote-scripts",
  "monitoring",
  "file-reception",
  "interpreter-aliases",
  "interpreter-aliases-encodings",
] as const;

type SectionName = keyof typeof USED;
/** The sections that have an effect. */
export const SECTION_NAMES: readonly string[] = Object.keys(USED);

/** Whether a section of RPort is accepted and has no effect. */
export function isIgnoredSection(name: string): boolean {
  return IGNORED_SECTIONS.some((one) => one === name);
}

const ignoredKeys = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, z.unknown().optional()]));

/** The whole of `rport.conf`, in the file's own names; durations become milliseconds. */
export const configFileSchema = z.strictObject({
  client: z.strictObject({ ...USED.client, ...ignoredKeys(IGNORED.client) }),
  connection: z
    .strictObject({ ...USED.connection, ...ignoredKeys(IGNORED.connection) })
    .prefault({}),
  logging: z.strictObject(USED.logging).prefault({}),
  terminal: z.strictObject(USED.terminal).prefault({}),
  ...ignoredKeys(IGNORED_SECTIONS),
});

/** The whole of `rport.conf`, parsed. */
export type ConfigFile = z.infer<typeof configFileSchema>;

/** What may stand at a place of the file, for the sentence that refuses something else. */
export function allowedNames(section: string | undefined): readonly string[] {
  if (section === undefined) return [...SECTION_NAMES, ...IGNORED_SECTIONS];
  const known = (Object.keys(IGNORED) as SectionName[]).find((name) => name === section);
  return known === undefined ? [] : [...Object.keys(USED[known]), ...IGNORED[known]].sort();
}

/** The keys and sections of a file that are accepted and have no effect. */
export function ignoredNames(file: Readonly<Record<string, unknown>>): readonly string[] {
  const keys = (Object.keys(IGNORED) as SectionName[]).flatMap((name) => {
    const section = file[name];
    if (typeof section !== "object" || section === null) return [];
    return IGNORED[name]
      .filter((key) => Object.hasOwn(section, key))
      .map((key) => `${name}.${key}`);
  });
  return [...keys, ...IGNORED_SECTIONS.filter((name) => Object.hasOwn(file, name))];
}
