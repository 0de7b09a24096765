import { hostname, networkInterfaces } from "node:os";
import { RportError } from "@rport/protocol/errors";
import type { Client } from "@rport/protocol/model";
import type { HostPort } from "@rport/protocol/remote";
import { t } from "@vscode/l10n";

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

/** Whether an address means the host itself. */
export function isLoopback(address: string): boolean {
  return address === "localhost" || address === "::1" || /^127\./.test(address);
}

/** What tells whether a tunnel leads into itself. */
export interface LoopQuestion {
  readonly isThisComputer: boolean;
  readonly remote: HostPort;
  readonly localPort: number | undefined;
}

/**
 * Throws `BAD_REQUEST` when a tunnel would lead into itself, or into one of those that are open, each of
 * which listens on one of these ports.
 */
export function refuseLoop(
  { isThisComputer, remote, localPort }: LoopQuestion,
  openPorts: readonly number[],
): void {
  if (!isThisComputer || !isLoopback(remote.host)) return;
  if (localPort !== remote.port && !openPorts.includes(remote.port)) return;
  throw new RportError(
    "BAD_REQUEST",
    t(
      "Port {0} of this computer is a tunnel's own end, and the host is this computer: the tunnel would lead into itself.",
      remote.port,
    ),
  );
}
