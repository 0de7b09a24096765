import type { ClientId, TunnelId } from "@rport/protocol/ids";
import { type Sharer, sharerNamed } from "../limits/sharer.ts";
import type { StoredTunnel } from "../store/records/clientRecord.ts";

/** What tunnels ask of the registry. */
export interface TunnelClients {
  tunnelsOf(id: ClientId): readonly StoredTunnel[];
  keepTunnels(id: ClientId, tunnels: readonly StoredTunnel[]): void;
  /** Resolves when what was kept would survive a power cut; fails with `DISK_FULL`. */
  save(id: ClientId): Promise<void>;
}

/** The tunnels that are opened again when their client comes back, as its record has them. */
export class RememberedTunnels {
  readonly #clients: TunnelClients;
  /** Accounts go by other numbers after a restart, so this is in no record. */
  readonly #holders = new WeakMap<StoredTunnel, Sharer>();

  constructor(clients: TunnelClients) {
    this.#clients = clients;
  }

  of(clientId: ClientId): readonly StoredTunnel[] {
    return this.#clients.tunnelsOf(clientId);
  }

  has(clientId: ClientId, tunnelId: TunnelId): boolean {
    return this.of(clientId).some(({ id }) => id === tunnelId);
  }

  /** Whose share a tunnel is part of, for as long as this server runs. */
  holds(stored: StoredTunnel, holder: Sharer): void {
    this.#holders.set(stored, holder);
  }

  /** Who that is; for one of before a restart, whoever has its owner's name. */
  holderOf(stored: StoredTunnel): Sharer {
    return this.#holders.get(stored) ?? sharerNamed(stored.owner);
  }

  add(clientId: ClientId, tunnel: StoredTunnel): void {
    this.keep(clientId, [...this.of(clientId), tunnel]);
  }

  /** In the place of the one with the same id; nothing when that was removed meanwhile. */
  replace(clientId: ClientId, tunnel: StoredTunnel): void {
    const tunnels = this.of(clientId).map((stored) => (stored.id === tunnel.id ? tunnel : stored));
    this.keep(clientId, tunnels);
  }

  forget(clientId: ClientId, tunnelId: TunnelId): void {
    this.keep(
      clientId,
      this.of(clientId).filter(({ id }) => id !== tunnelId),
    );
  }

  /** These, and no others. */
  keep(clientId: ClientId, tunnels: readonly StoredTunnel[]): void {
    if (tunnels.length === 0 && this.of(clientId).length === 0) return;
    this.#clients.keepTunnels(clientId, tunnels);
  }

  /** Resolves when all of this would survive a power cut; fails with `DISK_FULL`. */
  save(clientId: ClientId): Promise<void> {
    return this.#clients.save(clientId);
  }
}
