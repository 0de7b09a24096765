import { RportError } from "@rport/protocol/errors";
import type { ClientId, TunnelId } from "@rport/protocol/ids";
import { formatHostPort } from "@rport/protocol/remote";
import type { Relays } from "@rport/protocol/wire/relay";
import type { LiveSession } from "../clients/liveSession.ts";
import type { Limits } from "../limits/limits.ts";
import { SharedPlaces } from "../limits/sharedPlaces.ts";
import type { Sharer } from "../limits/sharer.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { StoredTunnel } from "../store/records/clientRecord.ts";
import type { AskedPlace, AskedTunnels } from "./askedTunnels.ts";
import { isAskedFor, targetOf } from "./describe.ts";
import type { LinkDial } from "./dialer.ts";
import { Listener, type TunnelSockets } from "./listener.ts";
import { type PortTable, portOwner } from "./ports.ts";
import type { LocalPlace, TunnelRequest } from "./request.ts";
import { ServerTunnel } from "./serverTunnel.ts";

/** What the tunnels of every client need. */
export interface OpenerDeps {
  readonly dial: LinkDial;
  readonly ports: PortTable;
  readonly asked: AskedTunnels;
  readonly relays: Relays;
  readonly sockets: TunnelSockets;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: Pick<Limits, "max" | "bite" | "isShared">;
  /** The open tunnels of all clients. */
  readonly open: SharedPlaces<ServerTunnel>;
  /** Where tunnels listen unless a request says otherwise. */
  readonly bind: string;
}

/** What the tunnels of every client tell the service. */
export interface ClientTunnelEvents {
  readonly onExpired: (own: ClientTunnels, tunnel: ServerTunnel, why: "idle" | "age") => void;
  readonly onChanged: (clientId: ClientId, id: TunnelId) => void;
}

/** Where a tunnel listens, and how it is described once its port is known. */
export interface Opening {
  readonly request: TunnelRequest;
  /** Whose share it is part of; what agents ask for is no user's. */
  readonly holder: Sharer;
  /** For a random port: the one it had before, if that is still free. */
  readonly preferredPort?: number | undefined;
  readonly describe: (host: string, port: number) => StoredTunnel;
  /** It was there before: another one to its target may have come with another record. */
  readonly isRemembered?: boolean;
}

/** What a tunnel has taken: its port, and its place where the agent asked for it. */
interface Had {
  readonly port: number;
  readonly place: AskedPlace | undefined;
}

const NONE: ReadonlyMap<TunnelId, ServerTunnel> = new Map();
/** Random ports that other programs may turn out to have. */
const PORT_ATTEMPTS = 20;

/** The open tunnels of one client, over one connection of it; they end with that. */
export class ClientTunnels {
  readonly session: LiveSession;
  readonly clientId: ClientId;
  readonly #deps: OpenerDeps;
  readonly #events: ClientTunnelEvents;
  /** From the first on, as the other map: most clients have no tunnel. */
  #opened: Map<TunnelId, ServerTunnel> | undefined;
  #shared: SharedPlaces<ServerTunnel> | undefined;
  /** Of those that the agent asked for. */
  #asked: Map<TunnelId, AskedPlace> | undefined;
  #isTold = false;

  constructor(
    owner: { readonly session: LiveSession; readonly clientId: ClientId },
    deps: OpenerDeps,
    events: ClientTunnelEvents,
  ) {
    this.session = owner.session;
    this.clientId = owner.clientId;
    this.#deps = deps;
    this.#events = events;
  }

  get(id: TunnelId): ServerTunnel | undefined {
    return this.#tunnels.get(id);
  }

  all(): readonly ServerTunnel[] {
    return [...this.#tunnels.values()];
  }

  /** Throws unless the client may have one more tunnel, and has none like this (RPort's codes). */
  requireNew({ request, holder }: Pick<Opening, "request" | "holder">): void {
    const { target, local, acl } = request;
    this.#requireRoom({ request, holder });
    for (const { stored } of this.#tunnels.values()) {
      const isSameTarget = stored.rhost === target.host && stored.rport === String(target.port);
      if (!isSameTarget || (stored.acl ?? "") !== (acl?.text ?? "")) continue;
      const isSame = local !== undefined && isAt(local, Number(stored.lport));
      throw new RportError(
        isSame ? "ERR_CODE_TUNNEL_EXIST" : "ERR_CODE_TUNNEL_TO_PORT_EXIST",
        isSame
          ? "This tunnel exists already."
          : `A tunnel to ${formatHostPort(target)} with this ACL exists already.`,
        { detail: `Its id is ${stored.id}.` },
      );
    }
  }

  /** Opens a tunnel. Its place in the list is taken before anything is waited for. */
  async open(opening: Opening): Promise<ServerTunnel> {
    if (opening.isRemembered === true) this.#requireRoom(opening);
    else this.requireNew(opening);
    return await this.#open(opening);
  }

  get #tunnels(): ReadonlyMap<TunnelId, ServerTunnel> {
    return this.#opened ?? NONE;
  }

  async #open(opening: Opening): Promise<ServerTunnel> {
    const { local } = opening.request;
    const isRandom = local === undefined || local.portTo !== undefined;
    const tried = new Set<number>();
    for (;;) {
      const port = this.#takePort(opening, tried);
      tried.add(port);
      const place = this.#enter(opening.request, port);
      try {
        return await this.#listen(opening, { port, place });
      } catch (error) {
        const isTaken = error instanceof RportError && error.code === "ERR_CODE_LOCAL_PORT_IN_USE";
        if (!isTaken || !isRandom || tried.size >= PORT_ATTEMPTS) throw error;
      }
    }
  }

  /** Closes one tunnel; resolves when its port is free. */
  async close(tunnel: ServerTunnel): Promise<void> {
    const { id, lport } = tunnel.stored;
    if (!this.#opened?.delete(id)) return;
    this.#leave(tunnel);
    const place = this.#takePlace(id);
    await tunnel.close();
    this.#giveBack({ port: Number(lport), place });
    this.#events.onChanged(this.clientId, id);
  }

  /** Closes all of them. */
  async closeAll(): Promise<void> {
    await Promise.all(this.all().map((tunnel) => this.close(tunnel)));
  }

  /** The agent is about to be told of its tunnels; until then nobody knows their ports. */
  tell(): void {
    this.#isTold = true;
  }

  /** What rests is nobody else's: it counts among what agents asked for as if it were open. */
  #giveBack(had: Had): void {
    const { port, place } = had;
    if (!this.#isTold) this.#abandon(had);
    else if (place === undefined) this.#deps.ports.release(port);
    else this.#deps.ports.release(port, () => place.leave());
  }

  #abandon({ port, place }: Had): void {
    this.#deps.ports.abandon(port);
    place?.leave();
  }

  /** Counts what agents ask for, once the port is there that may have counted while it rested. */
  #enter(request: TunnelRequest, port: number): AskedPlace | undefined {
    if (!isAskedFor(request)) return undefined;
    try {
      return this.#deps.asked.enter(this.session.credentialId);
    } catch (error) {
      this.#deps.ports.abandon(port);
      throw error;
    }
  }

  #takePlace(id: TunnelId): AskedPlace | undefined {
    const place = this.#asked?.get(id);
    this.#asked?.delete(id);
    return place;
  }

  #requireRoom({ request, holder, isRemembered }: Omit<Opening, "describe">): void {
    const { limits, open } = this.#deps;
    const own = this.#places;
    if (own.taken >= own.max) {
      limits.bite("tunnels_per_client", { client: this.clientId });
      throw new RportError("CONFLICT", `A client can have ${own.max} tunnels.`);
    }
    if (open.taken >= limits.max("tunnels")) {
      limits.bite("tunnels", { client: this.clientId });
      throw new RportError("UNAVAILABLE", "The server has as many tunnels as it may have.");
    }
    if (isAskedFor(request)) return;
    const asked = { isReturning: isRemembered };
    own.requireShare(holder, asked);
    open.requireShare(holder, asked);
  }

  /** Of all users, at this client. */
  get #places(): SharedPlaces<ServerTunnel> {
    const { limits } = this.#deps;
    const names = () => ({ client: this.clientId });
    this.#shared ??= new SharedPlaces({ limits, limit: "tunnels_per_client", names });
    return this.#shared;
  }

  #leave(tunnel: ServerTunnel): void {
    this.#places.leave(tunnel);
    this.#deps.open.leave(tunnel);
  }

  #takePort({ request, preferredPort }: Opening, tried: ReadonlySet<number>): number {
    const { ports, asked } = this.#deps;
    const owner = portOwner(this.clientId, request.target);
    const isAsked = isAskedFor(request);
    const among = isAsked ? asked.portsOf(this.session.credentialId) : undefined;
    const random = { among, except: tried, mayRest: !isAsked };
    if (request.local !== undefined) {
      const { port: from, portTo: to } = request.local;
      if (to === undefined) return ports.take(from, owner, { among });
      return ports.takeRandom(owner, { ...random, within: { from, to } });
    }
    const isWanted = preferredPort !== undefined && (among?.has(preferredPort) ?? true);
    if (isWanted && tried.size === 0 && ports.isFree(preferredPort, owner)) {
      return ports.take(preferredPort, owner, { among, isRandom: true });
    }
    return ports.takeRandom(owner, random);
  }

  async #listen({ request, holder, describe }: Opening, had: Had): Promise<ServerTunnel> {
    const { port, place } = had;
    const { bind, clock, dial, relays, sockets, log } = this.#deps;
    const host = request.local?.host ?? bind;
    const stored = describe(host, port);
    const tunnel: ServerTunnel = new ServerTunnel({
      clientId: this.clientId,
      stored,
      holder,
      clock,
      onExpired: (why) => this.#events.onExpired(this, tunnel, why),
      onChanged: () => this.#events.onChanged(this.clientId, stored.id),
    });
    this.#opened ??= new Map();
    this.#opened.set(stored.id, tunnel);
    if (place !== undefined) {
      this.#asked ??= new Map();
      this.#asked.set(stored.id, place);
    }
    this.#places.take(tunnel, holder);
    this.#deps.open.take(tunnel, holder);
    let hasListened = false;
    try {
      const listener = await Listener.listen(host, port, {
        acl: request.acl,
        dial: () => dial(this.session, targetOf(stored), holder),
        relays,
        tally: tunnel.tally,
        sockets,
        log,
        onCount: (count) => tunnel.setConnections(count),
      });
      hasListened = true;
      if (this.#tunnels.get(stored.id) !== tunnel || this.session.isClosed) {
        await listener.close();
        throw new RportError("CLIENT_OFFLINE", "The client disconnected.");
      }
      tunnel.open(listener);
      return tunnel;
    } catch (error) {
      this.#giveUp(tunnel, had, hasListened);
      throw error;
    }
  }

  /** A tunnel that was closed meanwhile has given its port back already. */
  #giveUp(tunnel: ServerTunnel, had: Had, hasListened: boolean): void {
    this.#leave(tunnel);
    const { id } = tunnel.stored;
    if (this.#tunnels.get(id) !== tunnel) return;
    this.#opened?.delete(id);
    this.#takePlace(id);
    if (hasListened) this.#giveBack(had);
    else this.#abandon(had);
  }
}

function isAt({ port: from, portTo: to = from }: LocalPlace, port: number): boolean {
  return port >= from && port <= to;
}
