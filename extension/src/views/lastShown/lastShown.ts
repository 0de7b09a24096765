import type { Fleet, FleetChange } from "../../servers/fleet.ts";
import type { Server } from "../../servers/server.ts";
import type { Clock, Timer } from "../../support/clock.ts";
import { Listeners } from "../../support/listeners.ts";
import type { LastFolder } from "./folder.ts";
import type { LastRecord } from "./record.ts";

/** The first rows are kept soon after a server has told all, in case the window is closed again. */
const FIRST_KEEP_MS = 2_000;
/** Later changes are kept this much later, many at once. */
const KEEP_MS = 60_000;

/** What remembering the rows of last time needs. */
export interface LastShownDeps {
  readonly fleet: Pick<Fleet, "servers" | "get" | "changed">;
  readonly folder: LastFolder;
  readonly clock: Clock;
}

/**
 * The first rows of the clients view as they were shown last, for a window that has only just started: they are
 * there until a server has told what is true now. They are forgotten with the server, and with the sign-in.
 */
export class LastShown {
  /** Rows of last time have been read. */
  readonly changed = new Listeners<void>();
  readonly #deps: LastShownDeps;
  readonly #records = new Map<string, LastRecord>();
  readonly #timers = new Map<string, Timer>();
  readonly #unsubscribe: () => void;
  readonly #start: Timer;
  #isLoaded = false;
  #draw: ((server: Server) => LastRecord) | undefined;

  constructor(deps: LastShownDeps) {
    this.#deps = deps;
    this.#unsubscribe = deps.fleet.changed.add((event) => this.#heard(event));
    // while the extension is activated, nothing is asked of the disk
    this.#start = deps.clock.after(0, () => void this.#load());
  }

  /** From now on this is kept of a server. */
  keepFrom(draw: (server: Server) => LastRecord): void {
    this.#draw = draw;
  }

  /** What was shown of a server through this filter, while it has told nothing yet. */
  of(server: Server, filter: string): LastRecord | undefined {
    const record = this.#records.get(server.key);
    return record?.filter === filter && isAwaited(server) ? record : undefined;
  }

  /** Keeps and reads nothing more. */
  dispose(): void {
    this.#unsubscribe();
    this.#start.cancel();
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  async #load(): Promise<void> {
    const { fleet, folder } = this.#deps;
    this.#isLoaded = true;
    for (const server of fleet.servers) {
      const record = await folder.read(server.key);
      // it may have answered meanwhile, or turned this person away
      if (record === undefined || !isAwaited(server) || fleet.get(server.key) !== server) continue;
      this.#records.set(server.key, record);
      this.changed.emit();
    }
    await folder.keepOnly(fleet.servers.map(({ key }) => key));
  }

  #heard(event: FleetChange): void {
    if (event.kind === "servers" && this.#isLoaded) {
      const keys = this.#deps.fleet.servers.map(({ key }) => key);
      for (const key of this.#records.keys()) if (!keys.includes(key)) this.#records.delete(key);
      void this.#deps.folder.keepOnly(keys);
    }
    if (event.kind !== "server") return;
    const { server, change } = event;
    if (server.state.kind === "signedOut") this.#forget(server.key);
    if (server.state.kind !== "connected" || change.kind === "state") return;
    this.#records.delete(server.key);
    this.#keepLater(server.key, change.kind === "reset" ? FIRST_KEEP_MS : KEEP_MS);
  }

  #keepLater(key: string, ms: number): void {
    if (this.#timers.has(key)) return;
    const timer = this.#deps.clock.after(ms, () => {
      this.#timers.delete(key);
      const server = this.#deps.fleet.get(key);
      if (server?.state.kind !== "connected" || this.#draw === undefined) return;
      void this.#deps.folder.write(this.#draw(server));
    });
    this.#timers.set(key, timer);
  }

  #forget(key: string): void {
    this.#timers.get(key)?.cancel();
    this.#timers.delete(key);
    this.#records.delete(key);
    void this.#deps.folder.forget(key);
  }
}

/**
 * Whether a server may still tell what is true now. A local backend that does not run is none: what the view says
 * about that, and how to start one, counts more than who was there.
 */
function isAwaited({ state, mirror, isLocal }: Server): boolean {
  if (mirror.isFilled) return false;
  if (state.kind === "connecting") return !isLocal || state.attempt === 0;
  return state.kind === "stopped" || (state.kind === "waiting" && !isLocal);
}
