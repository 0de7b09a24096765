import { hostname, networkInterfaces } from "node:os";
import { RportError } from "@rport/protocol/errors";
import type { Client } from "@rport/protocol/model";
import type { HostPort } from "@rport/protocol/remote";
import { t } from "@vscode/l10n";
import { isLoopback, LOCAL_HOST } from "../model/tunnels/localHost.ts";
import type { LocalTunnel } from "./localTunnel.ts";

/** What of this computer tells whether a host is it. */
export interface ThisComputer {
  readonly hostname: string;
  /** Addresses that others could reach it by. */
  readonly addresses: readonly string[];
}

/** The computer that the extension runs on. */
export function thisComputer(): ThisComputer {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const addresses = all.filter(({ internal }) => !internal).map(({ address }) => address);
  return { hostname: hostname(), addresses };
}

/** Whether a host is this computer, as far as its name and its addresses tell. */
export function isThisComputer(
  { hostname: name, ipv4, ipv6 }: Pick<Client, "hostname" | "ipv4" | "ipv6">,
  { hostname: own, addresses }: ThisComputer,
): boolean {
  if (name === "" || name.toLowerCase() !== own.toLowerCase()) return false;
  const others = [...ipv4, ...ipv6].filter((address) => !isLoopback(address));
  return others.length === 0 || others.some((address) => addresses.includes(address));
}

/** What tells whether a tunnel leads into itself. */
export interface LoopQuestion {
  readonly isThisComputer: boolean;
  readonly remote: HostPort;
  readonly localPort: number | undefined;
  /** Where it listens; undefined: 127.0.0.1. */
  readonly localHost?: string | undefined;
}

/** Where a tunnel that is open listens. */
export type OpenEnd = Pick<LocalTunnel, "localPort" | "localHost">;

/**
 * Throws `BAD_REQUEST` when a tunnel would lead into itself, or into one of those that are open. An address that others
 * reach is met from every host, a loopback one from this computer alone.
 */
export function refuseLoop(
  { isThisComputer, remote, localPort, localHost }: LoopQuestion,
  open: readonly OpenEnd[],
): void {
  const own = localPort === undefined ? [] : [{ localPort, localHost }];
  const isMet = ({ localHost: host = LOCAL_HOST }: OpenEnd) =>
    isLoopback(host) ? isThisComputer && isLoopback(remote.host) : remote.host === host;
  const ends = [...open, ...own].filter((end) => end.localPort === remote.port);
  if (!ends.some(isMet)) return;
  throw new RportError(
    "BAD_REQUEST",
    t(
      "Port {0} of this computer is a tunnel's own end, and the host is this computer: the tunnel would lead into itself.",
      remote.port,
    ),
  );
}
