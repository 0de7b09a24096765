import type { RemoteMessage } from "@rport/protocol/agent";
import { RportError } from "@rport/protocol/errors";
import type { AuthId, ClientId, TunnelId } from "@rport/protocol/ids";
import type { Tunnel } from "@rport/protocol/model";
import type { TunnelTraffic } from "@rport/protocol/tunnels/traffic";
import type { LiveSession } from "../clients/liveSession.ts";
import type { SessionTunnels, SortedRemotes } from "../clients/session/sessionDeps.ts";
import { SharedPlaces } from "../limits/sharedPlaces.ts";
import { NOBODY } from "../limits/sharer.ts";
import { toTime } from "../platform/clock.ts";
import { errorText } from "../platform/log.ts";
import { Turns } from "../platform/turns.ts";
import type { StoredTunnel } from "../store/records/clientRecord.ts";
import { requireAllowed, requireOpen } from "./agentChecks.ts";
import { AskedTunnels } from "./askedTunnels.ts";
import { type ClientTunnelEvents, ClientTunnels, type OpenerDeps } from "./clientTunnels.ts";
import {
  describeTunnel,
  isLoopback,
  nextTunnelId,
  remoteOf,
  requestOfRemote,
  requestOfStored,
  targetOf,
} from "./describe.ts";
import { PortTable, portOwner } from "./ports.ts";
import { RememberedTunnels } from "./remembered.ts";
import {
  type AskedTunnel,
  parseTunnelQuery,
  requireLocal,
  type TunnelAsker,
  type TunnelQuery,
  type TunnelRequest,
} from "./request.ts";
import { planRestore } from "./restore.ts";
import { ageLeftMs, type ServerTunnel } from "./serverTunnel.ts";
import { sortedRemotes } from "./sortedRemotes.ts";
import type { TunnelServiceDeps } from "./tunnelServiceDeps.ts";

const BIND_DEFAULT = "127.0.0.1";

/** Server tunnels, as RPort's: they end with their client's connection, and open again with it if its rules allow. */
export class TunnelService implements SessionTunnels {
  readonly #deps: TunnelServiceDeps;
  readonly #opener: OpenerDeps;
  readonly #remembered: RememberedTunnels;
  readonly #byClient = new Map<ClientId, ClientTunnels>();
  /** One for the tunnels of all clients. */
  readonly #events: ClientTunnelEvents = {
    onExpired: (own, tunnel, why) => void this.#expire(own, tunnel, why),
    onChanged: (clientId, id) => this.#changed(clientId, id),
  };
  /** What is remembered of a client is opened by one at a time. */
  readonly #turns = new Turns<ClientTunnels>();

  constructor(deps: TunnelServiceDeps) {
    this.#deps = deps;
    const { dial, relays, sockets, limits, clock, log } = deps;
    const { ranges, kept, askingRight: rightOf, bind = BIND_DEFAULT } = deps;
    const ports = new PortTable({ ranges, kept, clock });
    const asked = new AskedTunnels({ limits, ranges, rightOf, settle: () => ports.settle() });
    const open = new SharedPlaces<ServerTunnel>({ limits, limit: "tunnels", most: ranges.size });
    this.#opener = { dial, relays, sockets, limits, open, clock, log, bind, ports, asked };
    limits.watch("tunnels", () => open.taken);
    this.#remembered = new RememberedTunnels(deps.clients);
  }

  /** Tunnels that one client may have. */
  get mostPerClient(): number {
    return this.#deps.limits.max("tunnels_per_client");
  }

  /** All open tunnels. */
  list(): Tunnel[] {
    return [...this.all()];
  }

  /** The same, each when it is asked for: over many turns, while some come and go. */
  *all(): Generator<Tunnel> {
    for (const own of this.#byClient.values()) for (const tunnel of own.all()) yield tunnel.view();
  }

  /** The open tunnels of a client. */
  tunnelsOf(clientId: ClientId): Tunnel[] {
    return (this.#byClient.get(clientId)?.all() ?? []).map((tunnel) => tunnel.view());
  }

  /** An open tunnel by its key, `<client id>/<tunnel id>`. */
  get(key: string): Tunnel | undefined {
    const slash = key.lastIndexOf("/");
    const own = this.#byClient.get(key.slice(0, slash) as ClientId);
    return own?.get(key.slice(slash + 1) as TunnelId)?.view();
  }

  /** What went through a tunnel since it was opened; undefined when it is not open. */
  trafficOf(clientId: ClientId, tunnelId: TunnelId): TunnelTraffic | undefined {
    return this.#byClient.get(clientId)?.get(tunnelId)?.traffic();
  }

  /**
   * Opens a tunnel as `PUT /clients/{id}/tunnels` does; resolves when it would be there after a
   * power cut. Throws with RPort's codes, `DISK_FULL`, and as `requireRight`.
   */
  async create(
    clientId: ClientId,
    query: TunnelQuery,
    { owner, accountId = owner, requireRight }: TunnelAsker,
  ): Promise<Tunnel> {
    const request = parseTunnelQuery(query, owner);
    const own = this.#byClient.get(clientId);
    if (own === undefined || own.session.isClosed) {
      throw new RportError("CLIENT_OFFLINE", "The client is not connected.");
    }
    const holder = { accountId, name: owner };
    const asked = { ...request, asker: holder, requireRight };
    await requireAllowed(own.session, asked);
    own.requireNew({ request, holder });
    if (request.probe) await requireOpen(own.session, asked);
    const { stored } = await this.#open(own, { request, holder });
    this.#remembered.add(clientId, stored);
    await this.#saveOrClose(own, stored.id);
    this.#changed(clientId, stored.id);
    this.#deps.log.info("tunnel opened", { client: clientId, tunnel: stored.id, owner });
    return own.get(stored.id)?.view() ?? { ...stored, client_id: clientId, connections: 0 };
  }

  /**
   * Closes a tunnel for good, or forgets one of a client that is away; resolves when it would stay
   * away after a power cut. It is closed also when that cannot be written, which is thrown.
   */
  async remove(clientId: ClientId, tunnelId: TunnelId, force: boolean): Promise<void> {
    const own = this.#byClient.get(clientId);
    const tunnel = own?.get(tunnelId);
    if (tunnel === undefined && !this.#remembered.has(clientId, tunnelId)) {
      throw new RportError("NOT_FOUND", "There is no such tunnel.");
    }
    if (!force) tunnel?.requireUnused();
    this.#remembered.forget(clientId, tunnelId);
    if (tunnel !== undefined) await own?.close(tunnel);
    this.#deps.log.info("tunnel closed", { client: clientId, tunnel: tunnelId });
    try {
      await this.#remembered.save(clientId);
    } catch (cause) {
      const title = "The tunnel is closed, but the disk did not take it: a crash would reopen it.";
      throw new RportError(RportError.from(cause).code, title, { cause });
    }
  }

  sorted(id: AuthId, remotes: readonly unknown[]): SortedRemotes {
    const among = this.#opener.asked.portsOf(id);
    return sortedRemotes(remotes, (remote) => requireLocal(this.#asked(remote), among));
  }

  async attach(session: LiveSession, wanted: readonly RemoteMessage[]): Promise<RemoteMessage[]> {
    const { clientId } = session;
    if (clientId === undefined) return [];
    const before = this.#byClient.get(clientId);
    const own = new ClientTunnels({ session, clientId }, this.#opener, this.#events);
    this.#byClient.set(clientId, own);
    return await this.#turns.run(own, () => this.#openAll(own, before, wanted));
  }

  /** Where the server says where tunnels listen, hosts do not; but none is opened to more than it asks. */
  #asked(remote: RemoteMessage): TunnelRequest {
    const isFree = this.#deps.bind === undefined || isLoopback(remote.lhost);
    return requestOfRemote(isFree ? remote : { ...remote, lhost: "" });
  }

  async #openAll(
    own: ClientTunnels,
    before: ClientTunnels | undefined,
    wanted: readonly RemoteMessage[],
  ): Promise<RemoteMessage[]> {
    const { clientId } = own;
    await before?.closeAll();
    const remembered = this.#remembered.of(clientId);
    const plan = planRestore(wanted, remembered);
    const opened: StoredTunnel[] = [];
    for (const { remote, was } of plan.wanted) {
      const tunnel = await this.#open(own, { request: this.#asked(remote), holder: NOBODY, was });
      opened.push(tunnel.stored);
      if (was === undefined) this.#deps.events.askedFor(own, tunnel.stored);
    }
    const restored = await Promise.all(plan.restored.map((one) => this.#restore(own, one)));
    const kept = new Map<string, StoredTunnel>();
    for (const one of [...opened, ...restored]) if (one !== undefined) kept.set(one.id, one);
    // Also those that came with another record, or that somebody asked for, meanwhile.
    const known = new Set(remembered.map(({ id }) => id));
    for (const one of this.#remembered.of(clientId)) {
      if (!known.has(one.id)) kept.set(one.id, one);
    }
    for (const { stored } of own.all()) kept.set(stored.id, stored);
    this.#remembered.keep(clientId, [...kept.values()]);
    own.tell();
    for (const { stored } of own.all()) this.#changed(clientId, stored.id);
    return own.all().map((tunnel) => remoteOf(tunnel.stored));
  }

  /**
   * What `from` had is the client's now: opens what is remembered and not open, if the client is
   * connected, as when it had come back.
   */
  async adoptTunnels(clientId: ClientId, from: ClientId): Promise<void> {
    for (const was of this.#remembered.of(clientId)) {
      const target = targetOf(was);
      const [before, now] = [portOwner(from, target), portOwner(clientId, target)];
      this.#opener.ports.pass(Number(was.lport), before, now);
    }
    const own = this.#byClient.get(clientId);
    if (own !== undefined) await this.#turns.run(own, () => this.#reopen(own));
  }

  async #reopen(own: ClientTunnels): Promise<void> {
    const { clientId } = own;
    const remembered = () => this.#remembered.of(clientId);
    for (const was of remembered().filter(({ id }) => !own.get(id))) {
      if (!remembered().some(({ id }) => id === was.id)) continue;
      const now = await this.#restore(own, was);
      // Over another connection all of them are opened anew.
      if (this.#byClient.get(clientId) !== own) return;
      if (now === undefined) this.#remembered.forget(clientId, was.id);
      else this.#remembered.replace(clientId, now);
      this.#changed(clientId, was.id);
    }
  }

  detach(session: LiveSession): void {
    const { clientId } = session;
    const own = clientId === undefined ? undefined : this.#byClient.get(clientId);
    if (clientId === undefined || own?.session !== session) return;
    this.#byClient.delete(clientId);
    void own.closeAll();
  }

  /** Closes every tunnel; they stay remembered. */
  async close(): Promise<void> {
    await Promise.all([...this.#byClient.values()].map((own) => own.closeAll()));
    this.#byClient.clear();
  }

  async #open(own: ClientTunnels, { request, holder, was }: AskedTunnel): Promise<ServerTunnel> {
    const remembered = this.#remembered.of(own.clientId);
    const used = [...own.all().map((tunnel) => tunnel.stored), ...remembered];
    const id = was?.id ?? nextTunnelId(used.map((stored) => stored.id));
    const createdAt = was?.created_at ?? toTime(this.#deps.clock.now());
    const tunnel = await own.open({
      request,
      holder,
      preferredPort: was === undefined ? undefined : Number(was.lport),
      isRemembered: was !== undefined,
      describe: (host, port) => describeTunnel(request, { id, host, port, createdAt }),
    });
    this.#remembered.holds(tunnel.stored, holder);
    return tunnel;
  }

  async #saveOrClose(own: ClientTunnels, id: TunnelId): Promise<void> {
    try {
      await this.#remembered.save(own.clientId);
    } catch (error) {
      this.#remembered.forget(own.clientId, id);
      const tunnel = own.get(id);
      if (tunnel !== undefined) await own.close(tunnel);
      throw error;
    }
  }

  /** What is to be remembered of a tunnel that was to be opened again; undefined: nothing. */
  async #restore(own: ClientTunnels, was: StoredTunnel): Promise<StoredTunnel | undefined> {
    const { clock, log } = this.#deps;
    const fields = { client: own.clientId, tunnel: was.id };
    if ((ageLeftMs(was, clock.now()) ?? 1) <= 0) return undefined;
    try {
      const request = requestOfStored(was);
      await requireAllowed(own.session, { target: request.target });
      const holder = this.#remembered.holderOf(was);
      return (await this.#open(own, { request, holder, was })).stored;
    } catch (error) {
      log.warn("tunnel not restored", { ...fields, reason: errorText(error) });
      const isForbidden = error instanceof RportError && error.code === "TARGET_NOT_ALLOWED";
      return isForbidden ? undefined : was;
    }
  }

  async #expire(own: ClientTunnels, tunnel: ServerTunnel, why: "idle" | "age"): Promise<void> {
    const { id } = tunnel.stored;
    this.#deps.log.info("tunnel expired", { client: own.clientId, tunnel: id, why });
    this.#deps.events.expired(own, tunnel.stored, why);
    this.#remembered.forget(own.clientId, id);
    await own.close(tunnel);
  }

  #changed(clientId: ClientId, tunnelId: TunnelId): void {
    this.#deps.touch("tunnel", `${clientId}/${tunnelId}`);
  }
}
