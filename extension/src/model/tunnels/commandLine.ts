import { formatHostPort } from "@rport/protocol/remote";
import { serviceOf } from "../services.ts";
import { type ServiceKind, webScheme } from "./greeting.ts";
import { LOCAL_HOST } from "./localHost.ts";

/** What the line for a tunnel depends on. */
export interface CommandLineFacts {
  readonly localPort: number;
  /** The address of this computer on which it answers; undefined: 127.0.0.1. */
  readonly localHost?: string | undefined;
  /** The port at the other end. */
  readonly remotePort: number;
  readonly clientId: string;
  /** Whom somebody signs in as with `ssh`; undefined: as `ssh` decides. */
  readonly user?: string | undefined;
  /** What was found there; undefined: nothing yet. */
  readonly kind: ServiceKind | undefined;
}

/** Whatever shell reads the line, these are themselves. */
const PLAIN = /^[A-Za-z0-9._-]{1,64}$/;

/** By what usually is on the port, where nothing was found. */
const USUAL: Readonly<Record<number, Tool>> = {
  22: "ssh",
  5432: "psql",
  3306: "mysql",
  6379: "redis",
  27017: "mongo",
};

type Tool = "ssh" | "psql" | "mysql" | "redis" | "mongo" | "curl";

/**
 * What to type in a terminal to use a tunnel of this computer; undefined when it is not known what leads
 * there. The same in every shell: it holds ports, and a client's ID and an account only where those need no quotes.
 */
export function commandLine(facts: CommandLineFacts): string | undefined {
  const { localPort: port, localHost: host = LOCAL_HOST, remotePort, kind } = facts;
  switch (toolFor(facts)) {
    case "ssh":
      return `ssh -p ${port}${alias(facts.clientId)}${account(facts.user)} ${host}`;
    case "psql":
      return `psql -h ${host} -p ${port}`;
    case "mysql":
      return `mysql -h ${host} -P ${port}`;
    case "redis":
      return `redis-cli -h ${host} -p ${port}`;
    case "mongo":
      return `mongosh mongodb://${formatHostPort({ host, port })}/`;
    case "curl":
      return curl(formatHostPort({ host, port }), webScheme(remotePort, kind));
    case undefined:
      return undefined;
  }
}

/** A certificate is for the host's name, never for an address of this computer. */
function curl(address: string, scheme: "http" | "https" | undefined): string {
  return scheme === "https" ? `curl --insecure https://${address}/` : `curl http://${address}/`;
}

/** So that `ssh` knows the host again, whatever its local port is, and no other one at that port. */
function alias(clientId: string): string {
  return PLAIN.test(clientId) ? ` -o HostKeyAlias=rport-${clientId}` : "";
}

function account(user: string | undefined): string {
  return user !== undefined && PLAIN.test(user) ? ` -l ${user}` : "";
}

/** Whether there is such a line for a tunnel to that port. */
export function hasCommandLine(remotePort: number, kind: ServiceKind | undefined): boolean {
  return toolFor({ remotePort, kind }) !== undefined;
}

function toolFor({
  remotePort,
  kind,
}: Pick<CommandLineFacts, "remotePort" | "kind">): Tool | undefined {
  switch (kind) {
    case "ssh":
      return "ssh";
    case "postgres":
      return "psql";
    case "mysql":
      return "mysql";
    case "http":
    case "https":
      return "curl";
    case undefined:
      return USUAL[remotePort] ?? (serviceOf(remotePort)?.scheme && "curl");
    default:
      return undefined;
  }
}
