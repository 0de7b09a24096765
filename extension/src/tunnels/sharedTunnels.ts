import type { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { RportError } from "@rport/protocol/errors";
import type { HostPort } from "@rport/protocol/remote";
import { t } from "@vscode/l10n";
import type { Traffic } from "../model/tunnels/traffic.ts";
import { type Clock, pause, type Timer } from "../support/clock.ts";
import { describeError } from "../support/describeError.ts";
import { Listeners } from "../support/listeners.ts";
import type { Log } from "../support/log.ts";
import type { LocalTunnel, TunnelChange, TunnelRequest, Tunnels } from "./localTunnel.ts";
import type { LocalTunnels } from "./localTunnels.ts";
import type { TunnelMemory } from "./memory/memoryFile.ts";
import { recentTargets } from "./memory/record.ts";
import { ANSWER_MS, Guest } from "./sharing/guest.ts";
import { Keeper, type KeeperDeps, perform } from "./sharing/keeper.ts";
import { meetWindows } from "./sharing/meetWindows.ts";
import { type Act, VERSION } from "./sharing/messages.ts";
import { OwnSeat } from "./sharing/ownSeat.ts";
import { ShownTunnels } from "./sharing/shownTunnels.ts";

/** A window of another version is closed or reloaded sometime. */
const OTHER_VERSION_MS = 5_000;

/** Whoever holds the tunnels and sends everybody away is not asked all the time. */
const GONE_PAUSE_MS = 50;

/** What sharing tunnels between windows needs. */
export interface SharedTunnelsDeps {
  /** The folder that all windows share. */
  readonly storage: string;
  /** The mark of this window's workspace. */
  readonly workspace: () => string;
  /** Whether a tunnel that is not open is shown in this window. */
  readonly isOffered: (tunnel: LocalTunnel) => boolean;
  /** Makes what holds the tunnels, for the window that is to hold them. */
  readonly hold: () => LocalTunnels;
  /** Takes a program that carries one connection, in the window that holds the tunnels; see `KeeperDeps`. */
  readonly onBridge?: KeeperDeps["onBridge"];
  /** What lasts, of all windows. */
  readonly memory: Pick<TunnelMemory, "read" | "written">;
  readonly clock: Clock;
  readonly log: Log;
}

/** What this window is to the others. */
type Role =
  /** It holds the tunnels, and serves the others if it could take the seat. */
  | { readonly kind: "keeper"; readonly tunnels: LocalTunnels; readonly keeper: Keeper | undefined }
  | { readonly kind: "guest"; readonly guest: Guest }
  | { readonly kind: "otherVersion" };

/**
 * The tunnels of this computer as every window shows them. One window holds them: it listens, and it alone
 * writes down what is remembered. The others ask it. When it is gone, however that came, one of the others
 * takes its place, and listens on the same ports.
 */
export class SharedTunnels implements Tunnels {
  readonly changed = new Listeners<TunnelChange>();
  readonly #deps: SharedTunnelsDeps;
  readonly #shown: ShownTunnels;
  #role: Promise<Role>;
  #now: Role | undefined;
  #isDisposed = false;

  constructor(deps: SharedTunnelsDeps) {
    this.#deps = deps;
    this.#shown = new ShownTunnels(deps.isOffered, this.changed);
    // a window that starts is not to wait for a disk
    this.#role = setImmediate().then(() => this.#settle());
  }

  get all(): readonly LocalTunnel[] {
    return this.#shown.all;
  }

  get(id: string): LocalTunnel | undefined {
    return this.#shown.get(id);
  }

  async look(id: string): Promise<Traffic | undefined> {
    const role = await this.#roleInTime();
    if (role.kind === "guest") return role.guest.look(id);
    return role.kind === "keeper" ? role.tunnels.look(id) : undefined;
  }

  of(serverKey: string, clientId: string): readonly LocalTunnel[] {
    return this.all.filter(
      (tunnel) => tunnel.serverKey === serverKey && tunnel.clientId === clientId,
    );
  }

  async recent(serverKey: string, clientId: string): Promise<readonly HostPort[]> {
    return recentTargets(await this.#deps.memory.read(), { serverKey, clientId });
  }

  countOf(serverKey: string, clientId: string): number {
    return this.#shown.openCountOf(serverKey, clientId);
  }

  /** Waits until the tunnels of this computer are known. */
  async load(): Promise<void> {
    await this.#role;
  }

  /** Opens again what is shown of a server and not open; what cannot be opened says why in its row. */
  async restore(serverKey: string): Promise<void> {
    await this.#role;
    const closed = this.all.filter((tunnel) => tunnel.serverKey === serverKey && !tunnel.isOpen);
    for (const { id } of closed) {
      await this.reopen(id).catch((error: unknown) => {
        this.#deps.log.warn("a tunnel was not opened again", { why: describeError(error) });
      });
    }
  }

  /** Which tunnels that are not open are offered may have changed. */
  offersChanged(): void {
    this.#shown.offersChanged();
  }

  async open(request: TunnelRequest): Promise<LocalTunnel> {
    const workspace = this.#deps.workspace();
    return there(await this.#perform({ do: "open", request, workspace }));
  }

  async reopen(id: string, on?: "anyPort"): Promise<LocalTunnel> {
    const workspace = this.#deps.workspace();
    const act: Act = { do: "reopen", id, isAnyPort: on === "anyPort", workspace };
    return there(await this.#again(act));
  }

  async close(id: string): Promise<void> {
    await this.#again({ do: "close", id });
  }

  async forget(id: string): Promise<void> {
    await this.#again({ do: "forget", id });
  }

  forgetFailures(serverKey: string): void {
    this.#held?.forgetFailures(serverKey);
  }

  cutOf(serverKey: string, why: string): void {
    this.#held?.cutOf(serverKey, why);
  }

  closeOf(serverKey: string): void {
    this.#held?.closeOf(serverKey);
  }

  /** Resolves when what this window remembers of tunnels so far lasts. */
  remembered(): Promise<void> {
    return this.#deps.memory.written();
  }

  /** Leaves the tunnels to another window, or closes them when there is none; they stay remembered. */
  dispose(): void {
    this.#isDisposed = true;
    this.changed.clear();
    this.#leave(this.#now);
  }

  get #held(): LocalTunnels | undefined {
    return this.#now?.kind === "keeper" ? this.#now.tunnels : undefined;
  }

  /** The ports come first: whoever takes over listens on them at once. */
  #leave(role: Role | undefined): void {
    if (role?.kind === "guest") role.guest.close();
    if (role?.kind !== "keeper") return;
    role.tunnels.dispose();
    role.keeper?.dispose();
  }

  async #perform(act: Act): Promise<LocalTunnel | undefined> {
    const role = await this.#roleInTime();
    if (role.kind === "guest") return role.guest.ask(act);
    if (role.kind === "keeper") return perform(act, role.tunnels);
    throw new RportError(
      "UNAVAILABLE",
      t(
        "Another window holds the tunnels, and has another version of RPort: reload the windows that were not reloaded since the update.",
      ),
    );
  }

  /** A window that hangs has the seat nevertheless; nobody is to wait for it forever. */
  async #roleInTime(): Promise<Role> {
    let timer: Timer | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = this.#deps.clock.after(ANSWER_MS, () => {
        reject(
          new RportError("UNAVAILABLE", t("The window that holds the tunnels does not answer.")),
        );
      });
    });
    try {
      return await Promise.race([this.#role, late]);
    } finally {
      timer?.cancel();
    }
  }

  /** For what does no harm twice: the window that holds the tunnels may be closed at that moment. */
  async #again(act: Act): Promise<LocalTunnel | undefined> {
    const before = await this.#role;
    try {
      return await this.#perform(act);
    } catch (error) {
      if (this.#now === before || this.#isDisposed) throw error;
      return this.#perform(act);
    }
  }

  async #settle(): Promise<Role> {
    for (;;) {
      const role = await this.#take();
      if (role === "gone") {
        await pause(GONE_PAUSE_MS, this.#deps.clock);
        continue;
      }
      this.#now = role;
      if (this.#isDisposed) this.#leave(role);
      return role;
    }
  }

  async #take(): Promise<Role | "gone"> {
    const { clock, log } = this.#deps;
    const met = await meetWindows(this.#deps).catch((error: unknown) => {
      log.error("tunnels are not shared between windows", { why: describeError(error) });
      return undefined;
    });
    if (met === undefined || met instanceof OwnSeat) return this.#hold(met);
    if (met.version === VERSION) return this.#visit(met.socket);
    met.socket.destroy();
    log.warn("another window holds the tunnels, and has another version of the extension");
    clock.after(OTHER_VERSION_MS, () => this.#seekAgain());
    return { kind: "otherVersion" };
  }

  async #visit(socket: Socket): Promise<Role | "gone"> {
    const guest = new Guest({
      socket,
      clock: this.#deps.clock,
      onTunnels: (tunnels) => this.#shown.replace(tunnels),
      onEnd: () => this.#lost(guest),
    });
    const reception = await guest.reception;
    return reception === "welcome" ? { kind: "guest", guest } : "gone";
  }

  /** What was open stays open, on the same ports, and only then the others are let in. */
  async #hold(seat: OwnSeat | undefined): Promise<Role> {
    const { hold, onBridge, clock, log } = this.#deps;
    const tunnels = hold();
    await tunnels.load();
    const open = this.#shown.all.filter(({ isOpen }) => isOpen);
    if (open.length > 0) log.info("this window holds the tunnels now", { tunnels: open.length });
    await tunnels.takeOver(open);
    this.#shown.replace(tunnels.all);
    tunnels.changed.add(({ tunnel, isInPlace }) => {
      if (isInPlace) this.#shown.put(tunnel);
      else this.#shown.replace(tunnels.all);
    });
    const keeper = seat === undefined ? undefined : new Keeper({ seat, tunnels, onBridge, clock });
    return { kind: "keeper", tunnels, keeper };
  }

  #lost(guest: Guest): void {
    if (this.#now?.kind === "guest" && this.#now.guest === guest) this.#seekAgain();
  }

  #seekAgain(): void {
    if (this.#isDisposed) return;
    this.#now = undefined;
    this.#role = this.#settle();
  }
}

function there(tunnel: LocalTunnel | undefined): LocalTunnel {
  if (tunnel !== undefined) return tunnel;
  throw new RportError(
    "INTERNAL",
    t("The window that holds the tunnels did not say which one is open."),
  );
}
