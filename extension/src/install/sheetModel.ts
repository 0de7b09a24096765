import { RportError } from "@rport/protocol/errors";
import type { NewPairing } from "@rport/protocol/pairing/endpoints";
import type { AgentTargets } from "@rport/protocol/serverStatus";
import type { SheetHost, SheetOptions, SheetState } from "@rport/protocol/sheet";
import { t } from "@vscode/l10n";
import type { Server } from "../servers/server.ts";
import type { CardAddress } from "../support/cardAddresses.ts";
import type { Clock } from "../support/clock.ts";
import { describeError } from "../support/describeError.ts";
import { Manual } from "./manual.ts";
import { type NearOnly, nearOnlyOf } from "./nearOnly.ts";
import {
  isSamePairing,
  NO_OPTIONS,
  offeredOptions,
  type Problems,
  pairingBody,
  problemsOf,
} from "./options.ts";
import { PairingWatch } from "./pairingWatch.ts";
import {
  type Chosen,
  choiceAmong,
  NO_LINES,
  type Platform,
  platformsOf,
  textOf,
} from "./snippets.ts";

/** Characters of a name that a pairing carries. */
const NAME_MAX = 64;

/** Its PowerShell cannot pin a key. */
const NO_WINDOWS = t(
  "There is no line for Windows: the server's certificate is its own, and Windows needs one that it trusts. The configuration file below works there, too.",
);

/** What a sheet is about, and what it needs. */
export interface SheetModelDeps {
  readonly server: Server;
  readonly authId: string;
  readonly clock: Clock;
  /** Which line was shown the last time. */
  readonly chosen: Chosen;
  /** The addresses of this computer. */
  readonly cards: () => readonly CardAddress[];
  /** Called after each change of the state. */
  readonly onChange: () => void;
  /** Called once for each client that arrives through this sheet. */
  readonly onArrived: (host: SheetHost) => void;
}

/** One install sheet without its window: a pairing, who used it, and the lines to paste. */
export class SheetModel {
  /** The way without an installer. */
  readonly manual: Manual;
  readonly #deps: SheetModelDeps;
  readonly #watch: PairingWatch;
  #typed = NO_OPTIONS;
  /** The last options that had no problems. */
  #options = NO_OPTIONS;
  #wanted: Chosen;
  #created: NewPairing | undefined;
  #platforms: readonly Platform[] = [];
  /** Where the pairing is to lie, and where hosts are to go, if that was chosen. */
  #where: { readonly service?: "embedded"; readonly server_url?: string } = {};
  /** Counts requests, so that only the answer to the latest one is used. */
  #round = 0;
  /** What makes the line that was asked for last. */
  #renewal: Promise<void> = Promise.resolve();

  constructor(deps: SheetModelDeps) {
    this.#deps = deps;
    this.#wanted = deps.chosen;
    this.manual = new Manual(deps);
    this.#watch = new PairingWatch({ ...deps, name: () => this.#options.name });
  }

  /** Everything the page shows. */
  get state(): SheetState {
    const { server, authId } = this.#deps;
    const { name, address: url, mirror } = server;
    return {
      type: "state",
      server: { name, url, fingerprint: mirror.status?.fingerprint_sha256 ?? "" },
      credential: authId,
      ...this.#watch.state,
      news: [...this.#withoutWindows, ...this.#watch.state.news],
      nearOnly: this.nearOnly,
      linuxNeedsNode: needsNode(mirror.status?.agent_targets),
      platforms: [...this.#platforms],
      chosen: this.chosen,
      options: this.#typed,
      offered: [...this.#offered],
      problems: this.#problems,
      manual: this.manual.state,
    };
  }

  /** The pairing and its script; undefined before the server has answered. */
  get created(): NewPairing | undefined {
    return this.#created;
  }

  /** Which line is shown. */
  get chosen(): Chosen {
    return choiceAmong(this.#platforms, this.#wanted);
  }

  /** The text of the line that is shown; undefined unless it can be used. */
  get command(): string | undefined {
    if (this.#watch.line.kind !== "open" || this.#isWrong) return undefined;
    return textOf(this.#platforms, this.chosen);
  }

  /** The warning about an address that other hosts cannot reach; undefined: there is none. */
  get nearOnly(): NearOnly | undefined {
    const { server, cards } = this.#deps;
    const url = this.#created?.server_url;
    if (url === undefined) return undefined;
    const listensTo = server.mirror.status?.listens_to;
    return nearOnlyOf({ url, listensTo, cards: server.isLocal ? cards() : [] });
  }

  /** Shows another line. */
  choose(wanted: Chosen): void {
    this.#wanted = wanted;
    this.#deps.onChange();
  }

  /** Asks the server for a new pairing; one that somebody could still use is revoked first. */
  renew(): Promise<void> {
    this.#renewal = this.#renew();
    return this.#renewal;
  }

  /** Waits until the line that was asked for last is there, or is known not to come. */
  async settled(): Promise<void> {
    for (let last: Promise<void> | undefined; last !== this.#renewal; ) {
      last = this.#renewal;
      await last;
    }
  }

  /** A new pairing at this server itself, whatever service is configured. */
  async useThisServer(): Promise<void> {
    this.#where = { ...this.#where, service: "embedded" };
    await this.renew();
  }

  /** A new pairing that sends hosts to one of the addresses that are offered. */
  async useAddress(url: string): Promise<void> {
    if (this.nearOnly?.addresses.some((one) => one.url === url) !== true) return;
    this.#where = { ...this.#where, server_url: url };
    await this.renew();
  }

  /** A new pairing for a host that is to have this name, as far as it fits into one. */
  async nameHost(name: string): Promise<void> {
    await this.#renewWith({ name: name.slice(0, NAME_MAX), tags: [] });
  }

  /** A new pairing for a host that is a copy of another one. */
  async asNewHost(): Promise<void> {
    await this.#renewWith({ newId: true });
  }

  /** A new pairing for the next host: another one, which gets nothing that is meant for one alone. */
  async next(): Promise<void> {
    await this.#renewWith({ name: "", hostname: "", newId: false, force: false });
  }

  /** Revokes the pairing if somebody could still use it; who has used it is not touched. */
  async revoke(): Promise<void> {
    const { pairing } = this.#watch;
    if (pairing?.state !== "active") return;
    this.#watch.markRevoked();
    await this.#revoke(pairing.id);
    if (this.#watch.line.kind === "open") this.update();
  }

  /** Takes other options over; those that are part of the pairing need a new one. */
  async change(typed: SheetOptions): Promise<void> {
    this.#typed = typed;
    const before = this.#options;
    if (!this.#isWrong) this.#options = typed;
    if (!isSamePairing(before, this.#options)) {
      await this.renew();
      return;
    }
    if (this.#created !== undefined) this.#platforms = platformsOf(this.#created, this.#options);
    this.#deps.onChange();
  }

  /** Makes the configuration for a host that gets nothing from an installer. */
  async makeManual(): Promise<void> {
    const { status } = this.#deps.server.mirror;
    const { name, tags } = this.#options;
    const url = this.#created?.server_url ?? status?.connect_url[0] ?? this.#deps.server.address;
    const fingerprint = status?.fingerprint_sha256 ?? "";
    const tlsPin = url.startsWith("https:") ? status?.tls_pin : undefined;
    await this.manual.make({ url, fingerprint, tlsPin, name, tags });
  }

  /** After a reload of the window: finds out what became of the pairing; its token is gone. */
  restore(pairingId: string): void {
    this.#platforms = NO_LINES;
    this.#watch.find(pairingId);
  }

  /** Looks at what the server says now. */
  update(): void {
    this.#watch.update();
  }

  /** Stops the clock. The pairing stays: its line may have been pasted already, and it expires. */
  dispose(): void {
    this.#round += 1;
    this.#watch.dispose();
    this.manual.dispose();
  }

  /** Why there is no line for Windows, where the server has no certificate that anybody trusts. */
  get #withoutWindows(): SheetState["news"] {
    const { tls_pin: tlsPin, pairing } = this.#created ?? {};
    if (tlsPin === undefined || pairing === undefined) return [];
    return [{ at: pairing.created_at, text: NO_WINDOWS }];
  }

  get #problems(): Problems {
    return problemsOf(this.#typed, this.#offered, this.chosen.platform);
  }

  get #isWrong(): boolean {
    return Object.keys(this.#problems).length > 0;
  }

  get #offered() {
    return offeredOptions(this.#watch.state.service, this.chosen.platform);
  }

  async #renew(): Promise<void> {
    this.#round += 1;
    const round = this.#round;
    this.#watch.clear();
    await this.revoke().catch(() => undefined);
    try {
      const { server, authId } = this.#deps;
      const body = { credential_id: authId, ...this.#where, ...pairingBody(this.#options) };
      const created = await server.api.call("createPairing", { body });
      if (round === this.#round) this.#take(created);
      // nobody will ever see its line
      else await this.#revoke(created.pairing.id);
    } catch (error) {
      if (round === this.#round) this.#fail(error);
    }
  }

  async #renewWith(changed: Partial<SheetOptions>): Promise<void> {
    this.#options = { ...this.#options, ...changed };
    this.#typed = this.#options;
    await this.renew();
  }

  async #revoke(pairingId: string): Promise<void> {
    await this.#deps.server.api.call("revokePairing", { params: { pairingId } });
  }

  #take(created: NewPairing): void {
    this.#created = created;
    this.#platforms = platformsOf(created, this.#options);
    this.#watch.follow(created.pairing);
  }

  #fail(error: unknown): void {
    if (this.#created === undefined) this.#platforms = NO_LINES;
    const code = error instanceof RportError ? error.code : "INTERNAL";
    const isTold = error instanceof RportError && code === "PAIRING_SERVICE";
    const reason = isTold ? error.message : describeError(error);
    const requestId = isTold ? error.detail : code;
    const isService = isTold || code === "PAIRING_UNFIT";
    this.#watch.show({ kind: "failed", reason, requestId, isService });
  }
}

/** Whether what the server has for Linux is no program of its own. */
function needsNode(targets: AgentTargets | undefined): boolean {
  return targets !== undefined && !targets.available.some((target) => target.startsWith("linux-"));
}
