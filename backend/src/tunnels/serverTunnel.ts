import { RportError } from "@rport/protocol/errors";
import type { ClientId } from "@rport/protocol/ids";
import type { Tunnel } from "@rport/protocol/model";
import type { TunnelTraffic } from "@rport/protocol/tunnels/traffic";
import type { Tally } from "@rport/protocol/wire/relay";
import type { Sharer } from "../limits/sharer.ts";
import { type Clock, type Timer, toTime } from "../platform/clock.ts";
import type { StoredTunnel } from "../store/records/clientRecord.ts";
import type { Listener } from "./listener.ts";

/** What one tunnel is made of. */
export interface ServerTunnelDeps {
  readonly clientId: ClientId;
  readonly stored: StoredTunnel;
  /** Whose share it is part of. */
  readonly holder: Sharer;
  readonly clock: Clock;
  /** It has been idle, or has lived, as long as it may. */
  readonly onExpired: (why: "idle" | "age") => void;
  /** The number of its connections has changed. */
  readonly onChanged: () => void;
}

const MINUTE_MS = 60_000;
const NS_PER_MS = 1e6;

/** A tunnel that is open, or about to be: its description, its listener, its clocks. */
export class ServerTunnel {
  readonly stored: StoredTunnel;
  readonly holder: Sharer;
  /** What its connections have carried, from whoever connects (A) to the client (B) and back. */
  readonly tally: Tally = { bytesAtoB: 0, bytesBtoA: 0 };
  readonly #deps: ServerTunnelDeps;
  readonly #sinceMs: number;
  #listener: Listener | undefined;
  #connections = 0;
  #connectionsTotal = 0;
  #usedAtMs: number | undefined;
  #idleTimer: Timer | undefined;
  #ageTimer: Timer | undefined;

  constructor(deps: ServerTunnelDeps) {
    this.#deps = deps;
    this.stored = deps.stored;
    this.holder = deps.holder;
    this.#sinceMs = deps.clock.now();
  }

  get connections(): number {
    return this.#connections;
  }

  /** Throws `CONFLICT` while it has connections. */
  requireUnused(): void {
    if (this.#connections === 0) return;
    const title = `The tunnel has ${this.#connections} open connections; use force to cut them.`;
    throw new RportError("CONFLICT", title);
  }

  /** The tunnel as people see it. */
  view(): Tunnel {
    const { clientId } = this.#deps;
    return { ...this.stored, client_id: clientId, connections: this.#connections };
  }

  /** What went through it until now. */
  traffic(): TunnelTraffic {
    const usedAtMs = this.#usedAtMs;
    return {
      since: toTime(this.#sinceMs),
      connections: this.#connections,
      connections_total: this.#connectionsTotal,
      used_at: usedAtMs === undefined ? null : toTime(usedAtMs),
      bytes_to_client: this.tally.bytesAtoB,
      bytes_from_client: this.tally.bytesBtoA,
    };
  }

  /** The listener is there: from now on time counts. */
  open(listener: Listener): void {
    this.#listener = listener;
    const { clock, onExpired } = this.#deps;
    const leftMs = ageLeftMs(this.stored, clock.now());
    if (leftMs !== undefined) {
      this.#ageTimer = clock.after(Math.max(0, leftMs), () => onExpired("age"));
    }
    this.#armIdle();
  }

  /** Called by the listener. */
  setConnections(count: number): void {
    if (count > this.#connections) this.#connectionsTotal += 1;
    this.#connections = count;
    this.#usedAtMs = this.#deps.clock.now();
    this.#idleTimer?.cancel();
    this.#armIdle();
    this.#deps.onChanged();
  }

  /** Cuts the connections; resolves when the port is free. */
  async close(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    this.#idleTimer?.cancel();
    this.#ageTimer?.cancel();
    await listener?.close();
  }

  #armIdle(): void {
    const minutes = this.stored.idle_timeout_minutes;
    if (this.#listener === undefined || minutes === 0 || this.#connections > 0) return;
    const { clock, onExpired } = this.#deps;
    this.#idleTimer = clock.after(minutes * MINUTE_MS, () => onExpired("idle"));
  }
}

/** Milliseconds until a tunnel closes by its age; undefined when it does not. */
export function ageLeftMs(stored: StoredTunnel, nowMs: number): number | undefined {
  if (stored.auto_close === 0) return undefined;
  return Date.parse(stored.created_at) + stored.auto_close / NS_PER_MS - nowMs;
}
