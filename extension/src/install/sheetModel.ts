import { RportError } from "@rport/protocol/errors";
import type { NewPairing } from "@rport/protocol/pairing/endpoints";
import type { Pairing } from "@rport/protocol/pairing/model";
import type { SheetState } from "@rport/protocol/sheet";
import type { Server } from "../servers/server.ts";
import type { Clock, Timer } from "../support/clock.ts";
import { describeError } from "../support/describeError.ts";
import { type Progress, progressOf } from "./pairingProgress.ts";
import { NO_LINES, platformsOf } from "./snippets.ts";

/** What the sheet starts with. Whatever widens access or changes the host's layout is off. */
const NO_OPTIONS: SheetState["options"] = { name: "", tags: [], noService: false, prefix: "" };

/** Characters of a name that a pairing carries. */
const NAME_MAX = 64;

/** What a sheet is about, and what it needs. */
export interface SheetModelDeps {
  readonly server: Server;
  readonly authId: string;
  readonly clock: Clock;
  /** Called after each change of the state. */
  readonly onChange: () => void;
  /** Called once for each client that arrives through this sheet. */
  readonly onArrived: (clientId: string) => void;
}

/** One install sheet without its window: a pairing, where it stands, and the lines to paste. */
export class SheetModel {
  readonly #deps: SheetModelDeps;
  #chosen = NO_OPTIONS;
  #created: NewPairing | undefined;
  #latest: Pairing | undefined;
  #progress: Progress = { kind: "creating" };
  #platforms: SheetState["platforms"] = [];
  #clockSkewMs = 0;
  #expiry: Timer | undefined;
  /** Counts requests, so that only the answer to the latest one is used. */
  #round = 0;

  constructor(deps: SheetModelDeps) {
    this.#deps = deps;
  }

  /** Everything the page shows. */
  get state(): SheetState {
    const { server, authId } = this.#deps;
    return {
      type: "state",
      server: {
        name: server.name,
        url: server.address,
        fingerprint: server.mirror.status?.fingerprint_sha256 ?? "",
      },
      credential: authId,
      pairing: this.#progress,
      platforms: this.#platforms,
      options: this.#chosen,
      clockSkewMs: this.#clockSkewMs,
      strings: {},
    };
  }

  /** The pairing and its script; undefined before the server has answered. */
  get created(): NewPairing | undefined {
    return this.#created;
  }

  /** The text of a line to paste; undefined unless it can still be used. */
  command(platform: string, command: string): string | undefined {
    if (this.#progress.kind !== "waiting") return undefined;
    return this.#platforms
      .find(({ id }) => id === platform)
      ?.commands.find(({ id }) => id === command)?.text;
  }

  /** Asks the server for a new pairing; one that is still unused is revoked first. */
  async renew(): Promise<void> {
    this.#round += 1;
    const round = this.#round;
    this.#show({ kind: "creating" });
    await this.revoke().catch(() => undefined);
    try {
      const { server, authId } = this.#deps;
      const { name, tags } = this.#chosen;
      const body = { credential_id: authId, name, tags };
      const created = await server.api.call("createPairing", { body });
      if (round === this.#round) this.#take(created);
      // nobody will ever see its line
      else await this.#revoke(created.pairing.id);
    } catch (error) {
      if (round === this.#round) this.#fail(error);
    }
  }

  /** A new pairing for a host that is to have this name, as far as it fits into one. */
  async nameHost(name: string): Promise<void> {
    this.#chosen = { ...this.#chosen, name: name.slice(0, NAME_MAX), tags: [] };
    await this.renew();
  }

  /**
   * A new pairing for the next host, which is another one and so gets no name of the one before.
   */
  async next(): Promise<void> {
    if (this.#progress.kind === "connected") this.#chosen = { ...this.#chosen, name: "" };
    await this.renew();
  }

  /** Revokes the pairing if nobody has used it; harmless otherwise. */
  async revoke(): Promise<void> {
    const pairing = this.#latest;
    if (pairing === undefined || pairing.state !== "active" || pairing.claims.length > 0) return;
    this.#latest = { ...pairing, state: "revoked" };
    await this.#revoke(pairing.id);
    if (this.#progress.kind === "waiting") this.update();
  }

  /** Takes other options over; name and tags are part of the pairing, so they need a new one. */
  async choose(options: SheetState["options"]): Promise<void> {
    const before = this.#chosen;
    this.#chosen = options;
    const isPaired =
      before.name === options.name && before.tags.join("\n") === options.tags.join("\n");
    if (!isPaired) {
      await this.renew();
      return;
    }
    if (this.#created !== undefined) this.#platforms = [...platformsOf(this.#created, options)];
    this.#deps.onChange();
  }

  /** Shows an end: after a reload of the window the token is gone, and only a renewal helps. */
  restore(): void {
    this.#platforms = [...NO_LINES];
    this.#show({ kind: "expired" });
  }

  /** Looks at what the server says now. */
  update(): void {
    // once a host has arrived, it stays so: what the host does later is shown by the tree
    if (this.#latest === undefined || this.#progress.kind === "connected") return;
    const { server, clock } = this.#deps;
    const listed = server.mirror.maps.pairings.get(this.#latest.id);
    const wasRevoked = this.#latest.state === "revoked";
    if (listed !== undefined && !wasRevoked) this.#latest = listed;
    const claimedBy = this.#latest.claims.at(-1)?.client_id;
    const progress = progressOf({
      pairing: this.#latest,
      // the answer to the request may overtake the event, and after signing out nothing is known
      isListed:
        listed !== undefined || this.#latest === this.#created?.pairing || !server.mirror.isFilled,
      client: claimedBy === undefined ? undefined : server.mirror.maps.clients.get(claimedBy),
      serverNowMs: clock.now() + this.#clockSkewMs,
    });
    if (JSON.stringify(progress) === JSON.stringify(this.#progress)) return;
    this.#show(progress);
    if (progress.kind === "connected") this.#deps.onArrived(progress.clientId);
  }

  /** Stops the clock. The pairing stays: its line may have been pasted already, and it expires. */
  dispose(): void {
    this.#round += 1;
    this.#expiry?.cancel();
  }

  async #revoke(pairingId: string): Promise<void> {
    await this.#deps.server.api.call("revokePairing", { params: { pairingId } });
  }

  #take(created: NewPairing): void {
    const { clock } = this.#deps;
    const { pairing } = created;
    this.#created = created;
    this.#latest = pairing;
    this.#platforms = [...platformsOf(created, this.#chosen)];
    this.#clockSkewMs = Date.parse(pairing.created_at) - clock.now();
    const leftMs = Date.parse(pairing.expires_at) - Date.parse(pairing.created_at);
    this.#expiry?.cancel();
    this.#expiry = clock.after(leftMs, () => this.update());
    this.update();
  }

  #fail(error: unknown): void {
    if (this.#created === undefined) this.#platforms = [...NO_LINES];
    const detail = error instanceof RportError ? error.code : "INTERNAL";
    this.#show({ kind: "failed", reason: describeError(error), requestId: detail });
  }

  #show(progress: Progress): void {
    this.#progress = progress;
    this.#deps.onChange();
  }
}
