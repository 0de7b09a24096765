import { RportError } from "@rport/protocol/errors";
import type { HostPort } from "@rport/protocol/remote";
import { t } from "@vscode/l10n";
import { LOCAL_HOST } from "../model/tunnels/localHost.ts";
import type { Traffic } from "../model/tunnels/traffic.ts";
import { describeError } from "../support/describeError.ts";
import { Listeners } from "../support/listeners.ts";
import { ConnectionRoom } from "./connectionRoom.ts";
import { Forwarder } from "./forwarder.ts";
import { IdleTunnels, whyIdle } from "./idleTunnels.ts";
import { localPorts, refuseFull, refuseTaken } from "./localPorts.ts";
import {
  type LocalTunnel,
  openOnes,
  type TunnelChange,
  type TunnelRequest,
  type Tunnels,
} from "./localTunnel.ts";
import type { LocalTunnelsDeps } from "./localTunnelsDeps.ts";
import { Looks } from "./looks.ts";
import { keptName, latestOf, newId, recentTargets, type TunnelRecord } from "./memory/record.ts";
import { Records } from "./memory/records.ts";
import { takeOver } from "./takeOver.ts";
import { refuseLoop } from "./thisComputer.ts";
import { viewOf } from "./tunnelView.ts";

/**
 * The tunnels that this process listens for, and those of before that it can open again. What is open ends
 * with the process; what was not closed by a person is remembered to be opened again.
 */
export class LocalTunnels implements Tunnels {
  readonly changed = new Listeners<TunnelChange>();
  readonly #deps: LocalTunnelsDeps;
  readonly #records: Records;
  readonly #open = new Map<string, Forwarder>();
  /** By tunnel, why it could not be opened again. */
  readonly #failures = new Map<string, string>();
  readonly #opening = new Map<string, Promise<LocalTunnel>>();
  readonly #idle: IdleTunnels;
  readonly #room: ConnectionRoom;
  readonly #looks: Looks;
  #isDisposed = false;

  constructor(deps: LocalTunnelsDeps) {
    this.#deps = deps;
    this.#records = new Records(deps);
    this.#room = new ConnectionRoom(deps);
    this.#looks = new Looks(deps);
    this.#idle = new IdleTunnels({
      clock: deps.clock,
      limitMs: () => deps.idleLimitMs?.() ?? 0,
      end: (id, limitMs) => this.#endIdle(id, limitMs),
    });
  }

  get all(): readonly LocalTunnel[] {
    return this.#records.all.flatMap((record) => this.#view(record) ?? []);
  }

  get(id: string): LocalTunnel | undefined {
    const record = this.#records.get(id);
    return record === undefined ? undefined : this.#view(record);
  }

  async look(id: string): Promise<Traffic | undefined> {
    return this.#open.get(id)?.traffic;
  }

  of(serverKey: string, clientId: string): readonly LocalTunnel[] {
    return this.all.filter(
      (tunnel) => tunnel.serverKey === serverKey && tunnel.clientId === clientId,
    );
  }

  async recent(serverKey: string, clientId: string): Promise<readonly HostPort[]> {
    await this.#records.load();
    return recentTargets(this.#records.all, { serverKey, clientId });
  }

  countOf(serverKey: string, clientId: string): number {
    return openOnes(this.of(serverKey, clientId)).length;
  }

  /** Reads what is remembered from before; harmless when that was done. */
  async load(): Promise<void> {
    await this.#records.load();
  }

  /**
   * Listens again for what another process held until now. Its ports may take a moment to be free; what cannot
   * be opened then says why in its row.
   */
  async takeOver(tunnels: readonly LocalTunnel[]): Promise<void> {
    await Promise.all(
      tunnels.map(({ id, workspace }) => takeOver(() => this.reopenIn(workspace, id), this.#deps)),
    );
  }

  open(request: TunnelRequest): Promise<LocalTunnel> {
    return this.openIn("", request);
  }

  reopen(id: string, on?: "anyPort"): Promise<LocalTunnel> {
    return this.reopenIn("", id, on);
  }

  /** Like `open`, in the workspace with this mark. */
  async openIn(workspace: string, request: TunnelRequest): Promise<LocalTunnel> {
    await this.#records.load();
    const localHost = this.#deps.bindAddress?.() ?? LOCAL_HOST;
    const asked = { ...request, localHost };
    refuseLoop(asked, openOnes(this.all));
    const { serverKey, clientId, remote, isThisComputer } = request;
    const before = latestOf(this.#records.all, request);
    const forwarder = await this.#listen(asked, localPorts(asked, before?.localPort));
    const free = latestOf(this.#records.all, request, ({ id }) => !this.#open.has(id));
    const tunnel = await this.#hold(forwarder, {
      id: free?.id ?? newId(),
      serverKey,
      clientId,
      clientName: keptName(request.clientName),
      remote,
      localPort: forwarder.port,
      localHost: localHost === LOCAL_HOST ? undefined : localHost,
      workspace,
      isThisComputer,
      isWanted: true,
      usedAtMs: this.#deps.clock.now(),
      kind: before?.kind,
    });
    if (request.isTried === true) void this.#look(tunnel);
    return tunnel;
  }

  /** Like `reopen`, in the workspace with this mark. */
  reopenIn(workspace: string, id: string, on?: "anyPort"): Promise<LocalTunnel> {
    const running = this.#opening.get(id);
    if (running !== undefined) return running;
    const opening = this.#reopen(workspace, id, on).finally(() => this.#opening.delete(id));
    this.#opening.set(id, opening);
    return opening;
  }

  async close(id: string): Promise<void> {
    const record = this.#records.get(id);
    if (record === undefined) return;
    const tunnel = this.get(id);
    this.#stop(id);
    const saved = this.#put({ ...record, isWanted: false });
    if (tunnel !== undefined) this.changed.emit({ tunnel, isInPlace: false });
    await saved;
  }

  async forget(id: string): Promise<void> {
    const tunnel = this.get(id);
    this.#stop(id);
    const saved = this.#records.delete(id);
    if (tunnel !== undefined) this.changed.emit({ tunnel, isInPlace: false });
    await saved;
  }

  forgetFailures(serverKey: string): void {
    for (const forwarder of this.#forwardersOf(serverKey)) forwarder.forgetFailure();
  }

  cutOf(serverKey: string, why: string): void {
    for (const forwarder of this.#forwardersOf(serverKey)) forwarder.cut(why);
    this.#looks.cutOf(serverKey, why);
  }

  closeOf(serverKey: string): void {
    for (const { id, serverKey: key } of openOnes(this.all)) {
      if (key !== serverKey) continue;
      this.#stop(id);
      const record = this.#records.get(id);
      if (record !== undefined) this.#emit(record, false);
    }
  }

  /** Stops listening; what was open stays remembered. */
  dispose(): void {
    this.#isDisposed = true;
    this.changed.clear();
    for (const id of [...this.#open.keys()]) this.#stop(id);
  }

  async #reopen(workspace: string, id: string, on: "anyPort" | undefined): Promise<LocalTunnel> {
    await this.#records.load();
    const record = this.#records.get(id);
    if (record === undefined) {
      throw new RportError("NOT_FOUND", t("This tunnel is not remembered any more."));
    }
    const known = this.get(id);
    if (known?.isOpen === true) return known;
    try {
      refuseLoop(record, openOnes(this.all));
      const forwarder = await this.#listen(record, on === "anyPort" ? [0] : [record.localPort]);
      const usedAtMs = this.#deps.clock.now();
      const now = { localPort: forwarder.port, isWanted: true, usedAtMs, workspace };
      return await this.#hold(forwarder, { ...record, ...now });
    } catch (error) {
      this.#failures.set(id, describeError(error));
      this.#emit(record, true);
      throw error;
    }
  }

  async #listen(
    request: TunnelRequest & Pick<LocalTunnel, "localHost">,
    ports: readonly number[],
  ): Promise<Forwarder> {
    const { serverKey, clientId, remote, localHost } = request;
    const access = this.#deps.accessTo(serverKey);
    if (access === undefined) {
      throw new RportError("NOT_FOUND", t("The server of this tunnel is not configured any more."));
    }
    refuseFull(this.#open.size);
    refuseTaken({ ports, localHost }, openOnes(this.all));
    const target = { access, clientId, remote, localHost, room: this.#room };
    return Forwarder.listen(target, ports, () => this.#deps.clock.now());
  }

  /** Has the tunnel in the list as soon as it listens; answers when it is also remembered. */
  async #hold(forwarder: Forwarder, record: TunnelRecord): Promise<LocalTunnel> {
    const { id } = record;
    if (this.#isDisposed || this.#open.has(id)) {
      forwarder.close();
      const known = this.get(id);
      if (known !== undefined && !this.#isDisposed) return known;
      throw new RportError("UNAVAILABLE", t("This window is being closed."));
    }
    this.#failures.delete(id);
    this.#open.set(id, forwarder);
    const saved = this.#put(record);
    this.#idle.see(id, forwarder.connections);
    forwarder.changed.add(() => {
      this.#idle.see(id, forwarder.connections);
      const now = this.#records.get(id);
      if (now !== undefined) this.#emit(now, true);
    });
    this.#emit(record, false);
    await saved;
    return this.get(id) ?? viewOf(record, forwarder, undefined);
  }

  async #look(tunnel: LocalTunnel): Promise<void> {
    const { id } = tunnel;
    const kind = await this.#looks.kindOf(tunnel);
    const record = this.#records.get(id);
    if (kind === undefined || record === undefined || !this.#open.has(id)) return;
    if (record.kind === kind) return;
    const saved = this.#put({ ...record, kind });
    this.#emit({ ...record, kind }, true);
    await saved;
  }

  #forwardersOf(serverKey: string): readonly Forwarder[] {
    const isIts = ([id]: [string, Forwarder]) => this.#records.get(id)?.serverKey === serverKey;
    return [...this.#open].filter(isIts).map(([, forwarder]) => forwarder);
  }

  #put(record: TunnelRecord): Promise<void> {
    return this.#records.put(record, ({ id }) => this.#open.has(id));
  }

  /** Stays in the list, with the reason and the way back. */
  #endIdle(id: string, limitMs: number): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    this.#stop(id);
    this.#failures.set(id, whyIdle(limitMs));
    this.#deps.log.info("a tunnel that nobody used was closed", { limitMs });
    this.#emit(record, false);
  }

  #stop(id: string): void {
    this.#idle.forget(id);
    this.#open.get(id)?.close();
    this.#open.delete(id);
    this.#failures.delete(id);
  }

  #emit(record: TunnelRecord, isInPlace: boolean): void {
    const tunnel = viewOf(record, this.#open.get(record.id), this.#failures.get(record.id));
    this.changed.emit({ tunnel, isInPlace });
  }

  /** Undefined for what is kept for its port alone. */
  #view(record: TunnelRecord): LocalTunnel | undefined {
    const forwarder = this.#open.get(record.id);
    if (forwarder === undefined && !record.isWanted) return undefined;
    return viewOf(record, forwarder, this.#failures.get(record.id));
  }
}
