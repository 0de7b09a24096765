import type { Client } from "@rport/protocol/model";
import { Listeners, type Unsubscribe } from "../support/listeners.ts";
import type { TunnelChange, Tunnels } from "../tunnels/localTunnel.ts";
import type { ServerConfig } from "./config.ts";
import { hasChanged } from "./recognised.ts";
import type { Server } from "./server.ts";
import type { ServerChange } from "./serverChange.ts";

/** Anything that a view may have to show anew. */
export type FleetChange =
  /** Servers came or went. */
  | { readonly kind: "servers" }
  | { readonly kind: "server"; readonly server: Server; readonly change: ServerChange }
  | ({ readonly kind: "localTunnel" } & TunnelChange);

/** What a fleet is made of. */
export interface FleetDeps {
  readonly tunnels: Tunnels;
  readonly createServer: (config: ServerConfig) => Server;
}

interface Held {
  readonly server: Server;
  readonly unsubscribe: Unsubscribe;
}

/** All configured servers, and the tunnels that lead through them to this computer. */
export class Fleet {
  readonly tunnels: Tunnels;
  readonly changed = new Listeners<FleetChange>();
  readonly #createServer: FleetDeps["createServer"];
  readonly #held = new Map<string, Held>();

  constructor({ tunnels, createServer }: FleetDeps) {
    this.tunnels = tunnels;
    this.#createServer = createServer;
    tunnels.changed.add((change) => this.changed.emit({ kind: "localTunnel", ...change }));
  }

  /** The servers in the order of the setting. */
  get servers(): readonly Server[] {
    return [...this.#held.values()].map(({ server }) => server);
  }

  /** One server by its key. */
  get(key: string): Server | undefined {
    return this.#held.get(key)?.server;
  }

  /** A client by its server's key and its id. */
  client(serverKey: string, clientId: string): Client | undefined {
    return this.get(serverKey)?.mirror.maps.clients.get(clientId);
  }

  /**
   * Makes these the configured servers. One that got another name keeps its connection; one that
   * is to have another key than it had is made anew, unless it remembered that key itself.
   */
  configure(configs: readonly ServerConfig[]): void {
    const before = new Map(this.#held);
    this.#held.clear();
    const added: Server[] = [];
    let isRenamed = false;
    for (const config of configs) {
      const known = before.get(config.url);
      if (known !== undefined && isSameKey(known.server, config)) {
        this.#held.set(config.url, known);
        before.delete(config.url);
        isRenamed = known.server.rename(config.name) || isRenamed;
      } else {
        added.push(this.#add(config));
      }
    }
    for (const gone of before.values()) this.#remove(gone);
    if (added.length === 0 && before.size === 0 && !isRenamed) return;
    this.changed.emit({ kind: "servers" });
    for (const server of added) server.connect();
  }

  /** Ends all connections. */
  dispose(): void {
    for (const held of this.#held.values()) this.#remove(held);
    this.#held.clear();
    this.changed.clear();
  }

  #add(config: ServerConfig): Server {
    const server = this.#createServer(config);
    const unsubscribe = server.changed.add((change) => {
      // what a sign-in had opened ends with it
      if (server.state.kind === "signedOut") this.tunnels.closeOf(server.key);
      if (server.state.kind === "changed") this.tunnels.cutOf(server.key, hasChanged(server));
      const isBack = change.kind === "state" && server.state.kind === "connected";
      if (isBack) this.tunnels.forgetFailures(server.key);
      this.changed.emit({ kind: "server", server, change });
    });
    this.#held.set(config.url, { server, unsubscribe });
    return server;
  }

  #remove({ server, unsubscribe }: Held): void {
    unsubscribe();
    server.disconnect();
    if (!this.#held.has(server.key)) this.tunnels.closeOf(server.key);
  }
}

/** A setting without a fingerprint leaves the one that the server has told. */
function isSameKey(server: Server, { fingerprint, tlsPin }: ServerConfig): boolean {
  if (tlsPin !== server.tlsPin) return false;
  return fingerprint === "" || fingerprint === server.fingerprint;
}
