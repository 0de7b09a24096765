import { RportError } from "@rport/protocol/errors";
import type { HostPort } from "@rport/protocol/remote";
import type { AccessSource } from "../api/access.ts";
import { Listeners } from "../support/listeners.ts";
import { Forwarder } from "./forwarder.ts";
import { isLoopback } from "./thisComputer.ts";

/** Ports below need privileges on most systems, so they are not tried as local ports. */
const FIRST_UNPRIVILEGED_PORT = 1024;

/** What a tunnel is opened with. */
export interface TunnelRequest {
  /** Which server it leads through, and how to get into that. */
  readonly serverKey: string;
  readonly access: AccessSource;
  readonly clientId: string;
  readonly remote: HostPort;
  /** Undefined: the same as the remote one if it is free, else any. */
  readonly localPort: number | undefined;
  /** Whether the host is the computer that the tunnel ends on. */
  readonly isThisComputer: boolean;
}

/** A tunnel whose listener is on this computer. */
export interface LocalTunnel {
  /** Unique for the life of the editor window. */
  readonly id: string;
  readonly serverKey: string;
  readonly clientId: string;
  readonly remote: HostPort;
  readonly localPort: number;
  readonly connections: number;
  /** Why the latest connection failed. */
  readonly failure: string | undefined;
}

interface Held {
  readonly forwarder: Forwarder;
  readonly request: TunnelRequest;
}

/** All tunnels that end on this computer. They live as long as the editor window. */
export class LocalTunnels {
  /** Emits the tunnel that came, changed or went. */
  readonly changed = new Listeners<LocalTunnel>();
  readonly #held = new Map<string, Held>();
  #lastId = 0;

  /** Every open tunnel, oldest first. */
  get all(): readonly LocalTunnel[] {
    return [...this.#held].map(([id, held]) => view(id, held));
  }

  /** One tunnel; undefined when it is closed. */
  get(id: string): LocalTunnel | undefined {
    const held = this.#held.get(id);
    return held === undefined ? undefined : view(id, held);
  }

  /** The tunnels to one client. */
  of(serverKey: string, clientId: string): readonly LocalTunnel[] {
    return this.all.filter(
      (tunnel) => tunnel.serverKey === serverKey && tunnel.clientId === clientId,
    );
  }

  /** How many tunnels lead to one client. */
  countOf(serverKey: string, clientId: string): number {
    let count = 0;
    for (const { request } of this.#held.values()) {
      if (request.serverKey === serverKey && request.clientId === clientId) count += 1;
    }
    return count;
  }

  /**
   * Opens a tunnel; throws `ERR_CODE_LOCAL_PORT_IN_USE` when the wanted port is taken, and
   * `BAD_REQUEST` when it would lead into itself, or into one that leads back.
   */
  async open(request: TunnelRequest): Promise<LocalTunnel> {
    this.#refuseLoop(request);
    const { access, clientId, remote } = request;
    const target = { access, clientId, remote };
    const forwarder = await Forwarder.listen(target, portsFor(request));
    this.#lastId += 1;
    const id = String(this.#lastId);
    const held = { forwarder, request };
    this.#held.set(id, held);
    forwarder.changed.add(() => this.changed.emit(view(id, held)));
    const tunnel = view(id, held);
    this.changed.emit(tunnel);
    return tunnel;
  }

  #refuseLoop({ isThisComputer, remote, localPort }: TunnelRequest): void {
    if (!isThisComputer || !isLoopback(remote.host)) return;
    const isOwn = localPort === remote.port;
    if (!isOwn && !this.all.some((tunnel) => tunnel.localPort === remote.port)) return;
    throw new RportError(
      "BAD_REQUEST",
      `Port ${remote.port} of this computer is a tunnel's own end, and the host is this computer: the tunnel would lead into itself.`,
    );
  }

  /** Closes a tunnel with its connections; harmless when it is closed already. */
  close(id: string): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    const tunnel = view(id, held);
    this.#held.delete(id);
    held.forwarder.close();
    this.changed.emit(tunnel);
  }

  /** A server is back: what failed because it was away is no failure any more. */
  forgetFailures(serverKey: string): void {
    for (const { forwarder, request } of this.#held.values()) {
      if (request.serverKey === serverKey) forwarder.forgetFailure();
    }
  }

  /** Closes all tunnels of a server that is no longer configured, or that was signed out of. */
  closeOf(serverKey: string): void {
    for (const tunnel of this.all) if (tunnel.serverKey === serverKey) this.close(tunnel.id);
  }

  /** Closes everything. */
  dispose(): void {
    for (const tunnel of this.all) this.close(tunnel.id);
    this.changed.clear();
  }
}

function portsFor({ localPort, remote, isThisComputer }: TunnelRequest): readonly number[] {
  if (localPort !== undefined) return [localPort];
  // on the same computer the same port would be its own end
  if (isThisComputer) return [0];
  return remote.port < FIRST_UNPRIVILEGED_PORT ? [0] : [remote.port, 0];
}

function view(id: string, { forwarder, request }: Held): LocalTunnel {
  return {
    id,
    serverKey: request.serverKey,
    clientId: request.clientId,
    remote: request.remote,
    localPort: forwarder.port,
    connections: forwarder.connections,
    failure: forwarder.failure,
  };
}
