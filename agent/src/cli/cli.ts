import { parseArgs } from "node:util";
import { type TlsPin, tlsPinSchema } from "@rport/protocol/tls/tlsPin";
import { CliFailure, EXIT } from "./cliFailure.ts";

/** What `--help` prints. */
export const USAGE = `rport-agent: connects this host to its RPort server.

  rport-agent enroll --server URL [--pairing URL] --config FILE
                     [--tls-pin PIN] (--token-stdin | --token-file FILE) [--name NAME] [--tag TAG]... [--new-id] [--data-dir DIR] [--force]
  rport-agent run -c FILE [--service]
  rport-agent wait-online -c FILE --timeout SECONDS
  rport-agent install --server URL [--pairing URL] [--tls-pin PIN] [--token-stdin] [--name NAME] [--tag TAG]... [--new-id]
                      [--force] [--user USER | --prefix DIR] [--no-service] [--no-start]
                      [--terminals [ACCOUNT] | --no-terminals] [--dry-run]
  rport-agent uninstall [--prefix DIR] [--keep-config] [--dry-run]
  rport-agent status [--prefix DIR]
  rport-agent background start|restart|stop|status [--prefix DIR | --user USER] [--pid-file FILE]
  rport-agent verify --server URL --file FILE [--prefix DIR] [--allow-downgrade]
  rport-agent --version | --help

Exit status: 0 done, 1 failed, 2 usage, 3 not possible on this machine, 4 the token is unknown,
expired or used, 5 the server cannot be reached, 6 the file is not of the server's release, or that is older than this agent, 7 needs root, 8 not online in time, 9 the server
refused.
`;

/** A command line, parsed. */
export type Command =
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | {
      readonly kind: "run";
      readonly config: string;
      /** Started by a service manager that wants to hear how it goes: the one of Windows. */
      readonly isService: boolean;
    }
  | { readonly kind: "waitOnline"; readonly config: string; readonly timeoutMs: number }
  | { readonly kind: "service"; readonly name: ServiceCommand; readonly args: readonly string[] }
  | EnrollCommand;

/** The commands that have to do with the operating system's services; they parse the rest. */
export type ServiceCommand = "install" | "uninstall" | "status" | "background" | "verify";

/** `enroll`, parsed; its token is still to be read. */
export interface EnrollCommand {
  readonly kind: "enroll";
  readonly server: string;
  /** Where the token is claimed; undefined: at the server. */
  readonly pairing: string | undefined;
  /** What the server's TLS key is recognised by; undefined: its certificate is trusted. */
  readonly tlsPin: TlsPin | undefined;
  readonly config: string;
  /** Undefined: standard input. */
  readonly tokenFile: string | undefined;
  readonly name: string;
  readonly tags: readonly string[];
  readonly isNewId: boolean;
  readonly dataDir: string;
  readonly isForced: boolean;
}

/** Parses the arguments behind the program. Throws a usage `CliFailure`. */
export function parseCommand(args: readonly string[]): Command {
  const [name = "help", ...rest] = args;
  if (args.includes("--help") || args.includes("-h")) return { kind: "help" };
  switch (name) {
    case "help":
      return { kind: "help" };
    case "--version":
    case "version":
      return { kind: "version" };
    case "run":
      return parseRun(rest);
    case "wait-online":
      return parseWait(rest);
    case "enroll":
      return parseEnroll(rest);
    case "install":
    case "uninstall":
    case "status":
    case "background":
    case "verify":
      return { kind: "service", name, args: rest };
    default:
      throw usage(`There is no command ${JSON.stringify(name.slice(0, 40))}.`);
  }
}

const CONFIG = { config: { type: "string", short: "c" } } as const;
const RUN = { ...CONFIG, service: { type: "boolean", default: false } } as const;
const WAIT = { ...CONFIG, timeout: { type: "string", default: "30" } } as const;
const ENROLL = {
  ...CONFIG,
  server: { type: "string" },
  pairing: { type: "string" },
  "tls-pin": { type: "string" },
  "token-stdin": { type: "boolean", default: false },
  "token-file": { type: "string" },
  name: { type: "string", default: "" },
  tag: { type: "string", multiple: true, default: [] as string[] },
  "new-id": { type: "boolean", default: false },
  "data-dir": { type: "string", default: "" },
  force: { type: "boolean", default: false },
} as const;
/** Longest wait, in seconds. */
const MAX_WAIT_S = 3_600;

type Options = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>["options"]>;

/**
 * Parses the flags behind a command. Throws a usage `CliFailure`: the library's message names the
 * option; a stray word is not repeated, it might be a token.
 */
export function parseFlags<const T extends Options>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: false, strict: true }).values;
  } catch (error) {
    throw usage(describe(error));
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error) || !("code" in error)) return "The arguments cannot be read.";
  const isStray = error.code === "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL";
  return isStray ? "There is a word too many." : `${error.message.split(". ")[0]}.`;
}

function needed<K extends string>(values: Partial<Record<K, string>>, name: K): string {
  const value = values[name];
  if (value !== undefined && value !== "") return value;
  throw usage(`--${name} is missing.`);
}

function parseRun(args: readonly string[]): Command {
  const values = parseFlags(args, RUN);
  return { kind: "run", config: needed(values, "config"), isService: values.service };
}

function parseWait(args: readonly string[]): Command {
  const values = parseFlags(args, WAIT);
  const seconds = Number(values.timeout);
  if (!(seconds >= 0 && seconds <= MAX_WAIT_S)) {
    throw usage(`--timeout must be a number of seconds up to ${MAX_WAIT_S}.`);
  }
  return { kind: "waitOnline", config: needed(values, "config"), timeoutMs: seconds * 1_000 };
}

function parseEnroll(args: readonly string[]): Command {
  const values = parseFlags(args, ENROLL);
  const tokenFile = values["token-file"];
  if (values["token-stdin"] === (tokenFile !== undefined)) {
    throw usage("Exactly one of --token-stdin and --token-file is needed.");
  }
  return {
    kind: "enroll",
    server: needed(values, "server"),
    pairing: values.pairing,
    tlsPin: parseTlsPin(values["tls-pin"]),
    config: needed(values, "config"),
    tokenFile,
    name: values.name,
    tags: values.tag,
    isNewId: values["new-id"],
    dataDir: values["data-dir"],
    isForced: values.force,
  };
}

/** The value of `--tls-pin`. Throws a usage `CliFailure`. */
export function parseTlsPin(written: string | undefined): TlsPin | undefined {
  const parsed = tlsPinSchema.optional().safeParse(written);
  if (parsed.success) return parsed.data;
  throw usage("--tls-pin must be sha256// and 44 characters of base64.");
}

function usage(sentence: string): CliFailure {
  return new CliFailure(EXIT.usage, `${sentence} Try rport-agent --help.`);
}
