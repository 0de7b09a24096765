import type { Listeners } from "../../support/listeners.ts";
import type { LocalTunnel, TunnelChange } from "../localTunnel.ts";

/** The tunnels that a window shows, out of those of this computer; it says what has changed. */
export class ShownTunnels {
  readonly #isOffered: (tunnel: LocalTunnel) => boolean;
  readonly #changed: Listeners<TunnelChange>;
  #known: readonly LocalTunnel[] = [];
  #shown = new Map<string, LocalTunnel>();

  constructor(isOffered: (tunnel: LocalTunnel) => boolean, changed: Listeners<TunnelChange>) {
    this.#isOffered = isOffered;
    this.#changed = changed;
  }

  /** All that are shown, oldest first. */
  get all(): readonly LocalTunnel[] {
    return [...this.#shown.values()];
  }

  /** One that is shown. */
  get(id: string): LocalTunnel | undefined {
    return this.#shown.get(id);
  }

  /** How many open ones lead to a client. */
  openCountOf(serverKey: string, clientId: string): number {
    let count = 0;
    for (const tunnel of this.#shown.values()) {
      const isOne = tunnel.serverKey === serverKey && tunnel.clientId === clientId;
      if (isOne && tunnel.isOpen) count += 1;
    }
    return count;
  }

  /** Makes these the tunnels of this computer. */
  replace(tunnels: readonly LocalTunnel[]): void {
    const before = this.#shown;
    this.#known = tunnels;
    const shown = tunnels.filter((tunnel) => tunnel.isOpen || this.#isOffered(tunnel));
    this.#shown = new Map(shown.map((tunnel) => [tunnel.id, tunnel]));
    for (const tunnel of shown) {
      const known = before.get(tunnel.id);
      if (known !== undefined && isSame(known, tunnel)) continue;
      this.#changed.emit({ tunnel, isInPlace: known?.isOpen === tunnel.isOpen });
    }
    for (const [id, tunnel] of before) {
      if (!this.#shown.has(id)) this.#changed.emit({ tunnel, isInPlace: false });
    }
  }

  /** One of them is another than it was, though as open. */
  put(tunnel: LocalTunnel): void {
    this.#known = this.#known.map((each) => (each.id === tunnel.id ? tunnel : each));
    if (!this.#shown.has(tunnel.id)) return;
    this.#shown.set(tunnel.id, tunnel);
    this.#changed.emit({ tunnel, isInPlace: true });
  }

  /** Asks anew which of those that are not open are shown. */
  offersChanged(): void {
    this.replace(this.#known);
  }
}

function isSame(one: LocalTunnel, other: LocalTunnel): boolean {
  return (
    one.isOpen === other.isOpen &&
    one.localPort === other.localPort &&
    one.localHost === other.localHost &&
    one.connections === other.connections &&
    one.failure === other.failure &&
    one.kind === other.kind &&
    one.broke?.atMs === other.broke?.atMs &&
    one.broke?.connections === other.broke?.connections &&
    one.clientName === other.clientName
  );
}
