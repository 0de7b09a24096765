import type { HostPort } from "@rport/protocol/remote";
import type { ServiceKind } from "../model/tunnels/greeting.ts";
import type { Traffic } from "../model/tunnels/traffic.ts";
import type { Listeners } from "../support/listeners.ts";
import type { Break } from "./forwarder.ts";

/** What a tunnel is opened with. */
export interface TunnelRequest {
  /** Which server it leads through. */
  readonly serverKey: string;
  readonly clientId: string;
  /** What the client is called now, for the time when nobody can be asked. */
  readonly clientName: string;
  readonly remote: HostPort;
  /** Undefined: the one that was used last for this target, else the same as the remote one, else any. */
  readonly localPort: number | undefined;
  /** Whether the host is the computer that the tunnel ends on. */
  readonly isThisComputer: boolean;
  /**
   * Whether something answered there just now. Only then its first bytes are looked at: where nothing listens,
   * on a host that is this computer and not known to be, the tunnel itself would answer, without end.
   */
  readonly isTried?: boolean | undefined;
}

/** A tunnel that ends on this computer: one that is open, or one of before that can be opened again. */
export interface LocalTunnel {
  /** Unique on this computer, and stable. */
  readonly id: string;
  readonly serverKey: string;
  readonly clientId: string;
  /** What the client was called when the tunnel was opened. */
  readonly clientName: string;
  readonly remote: HostPort;
  readonly localPort: number;
  /** The address of this computer on which it listens; undefined: 127.0.0.1. */
  readonly localHost?: string | undefined;
  /** The mark of the workspace in which it was opened last. */
  readonly workspace: string;
  /** Whether its port answers; otherwise nothing of it listens. */
  readonly isOpen: boolean;
  readonly connections: number;
  /** What was found at its other end; undefined: nothing was, or not yet. */
  readonly kind?: ServiceKind | undefined;
  /** Why the latest connection failed; of a tunnel that is not open, why it could not be opened. */
  readonly failure: string | undefined;
  /** The connections that were cut on their way last, since it was opened. */
  readonly broke: Break | undefined;
}

/** A tunnel that came, changed or went. */
export interface TunnelChange {
  readonly tunnel: LocalTunnel;
  /** Whether it was in the list before and is now, and is as open as it was. */
  readonly isInPlace: boolean;
}

/** All tunnels of this computer that a window shows. */
export interface Tunnels {
  readonly changed: Listeners<TunnelChange>;
  /** Every tunnel, oldest first. */
  readonly all: readonly LocalTunnel[];
  /** One tunnel; undefined when there is no such row. */
  get(id: string): LocalTunnel | undefined;
  /** What went through one until now; undefined when it is not open. */
  look(id: string): Promise<Traffic | undefined>;
  /** The tunnels to one client. */
  of(serverKey: string, clientId: string): readonly LocalTunnel[];
  /** Where tunnels to one client led, also those that were closed; the latest first. */
  recent(serverKey: string, clientId: string): Promise<readonly HostPort[]>;
  /** How many open tunnels lead to one client. */
  countOf(serverKey: string, clientId: string): number;
  /**
   * Opens a tunnel; throws `ERR_CODE_LOCAL_PORT_IN_USE` when the wanted port is taken, and
   * `BAD_REQUEST` when it would lead into itself, or into one that leads back.
   */
  open(request: TunnelRequest): Promise<LocalTunnel>;
  /**
   * Opens one of before on the port that it had, or on any that is free. Throws like `open`; harmless when
   * it is open already.
   */
  reopen(id: string, on?: "anyPort"): Promise<LocalTunnel>;
  /** Closes a tunnel with its connections, and remembers its port only; harmless when it is closed. */
  close(id: string): Promise<void>;
  /** Closes a tunnel if it is open, and forgets it with its port. */
  forget(id: string): Promise<void>;
  /** A server is back: what failed because it was away is no failure any more. */
  forgetFailures(serverKey: string): void;
  /** Nothing may go to a server any more, for a reason, a sentence: cuts all connections; its tunnels stay open. */
  cutOf(serverKey: string, why: string): void;
  /** Closes the tunnels of a server that is no longer configured, or that was signed out of. */
  closeOf(serverKey: string): void;
}

/** The tunnels of a list that answer. */
export function openOnes(tunnels: readonly LocalTunnel[]): readonly LocalTunnel[] {
  return tunnels.filter(({ isOpen }) => isOpen);
}

/** What a client was called when a tunnel to it was opened. */
export function rememberedName(tunnels: readonly LocalTunnel[], clientId: string): string {
  return tunnels.find((tunnel) => tunnel.clientId === clientId)?.clientName || clientId;
}
