import type { Pairing } from "@rport/protocol/pairing/model";
import type { SheetHost, SheetState } from "@rport/protocol/sheet";
import type { Server } from "../servers/server.ts";
import type { Clock, Timer } from "../support/clock.ts";
import { hostsOf, SILENT_AFTER_MS } from "./hosts.ts";
import { type Line, lineOf, newsOf } from "./line.ts";

/** A clock that is set meanwhile, here or on the server, is noticed after this long. */
const LONGEST_LOOK_MS = 60_000;

/** What following a pairing needs. */
export interface PairingWatchDeps {
  readonly server: Server;
  readonly authId: string;
  readonly clock: Clock;
  /** What the user wants the host to be called; empty: by its own name. */
  readonly name: () => string;
  /** Called after each change of what is shown. */
  readonly onChange: () => void;
  /** Called once for each client that arrives. */
  readonly onArrived: (host: SheetHost) => void;
}

/** What becomes of one pairing after the other: the line, and the hosts that used it. */
export class PairingWatch {
  readonly #deps: PairingWatchDeps;
  readonly #arrived = new Set<string>();
  #pairing: Pairing | undefined;
  /** The answer to a request may overtake the event. */
  #answered: Pairing | undefined;
  #lostId = "";
  #line: Line = { kind: "creating" };
  #hosts: readonly SheetHost[] = [];
  #clockSkewMs = 0;
  #hadCredential = false;
  #nextLook: Timer | undefined;

  constructor(deps: PairingWatchDeps) {
    this.#deps = deps;
  }

  /** As it was last heard of. */
  get pairing(): Pairing | undefined {
    return this.#pairing;
  }

  /** Where the line stands. */
  get line(): Line {
    return this.#line;
  }

  /** What the page shows of it. */
  get state() {
    const pairing = this.#pairing;
    const { uses = 1, hostname = "", service = { kind: "embedded", url: "" } } = pairing ?? {};
    return {
      pairingId: pairing?.id ?? this.#lostId,
      line: this.#line,
      uses,
      hostname,
      service,
      hosts: [...this.#hosts],
      news: this.#news,
      clockSkewMs: this.#clockSkewMs,
    } satisfies Partial<SheetState>;
  }

  /** Follows a pairing that the server has just made. */
  follow(pairing: Pairing): void {
    const { clock } = this.#deps;
    this.#pairing = pairing;
    this.#answered = pairing;
    this.#lostId = "";
    this.#arrived.clear();
    this.#clockSkewMs = Date.parse(pairing.created_at) - clock.now();
    this.update();
  }

  /** Finds out what became of a pairing whose token is gone; empty: nobody knows which it was. */
  find(pairingId: string): void {
    this.#lostId = pairingId;
    if (pairingId === "") this.show({ kind: "over" });
    else this.update();
  }

  /** The server has been told to end it. */
  markRevoked(): void {
    if (this.#pairing !== undefined) this.#pairing = { ...this.#pairing, state: "revoked" };
  }

  /** Shows that there is no line, and why. */
  show(line: Line): void {
    this.#line = line;
    this.#deps.onChange();
  }

  /** There is to be another pairing: those who used the last one are not shown any more. */
  clear(): void {
    this.#hosts = [];
    this.show({ kind: "creating" });
  }

  /** Looks at what the server says now. */
  update(): void {
    const { mirror } = this.#deps.server;
    this.#findLost();
    if (this.#pairing === undefined) return;
    const before = this.#shown;
    const listed = mirror.maps.pairings.get(this.#pairing.id);
    if (listed !== undefined && this.#pairing.state !== "revoked") this.#pairing = listed;
    this.#look(this.#pairing, listed !== undefined);
    this.#watch();
    if (this.#shown === before) return;
    this.#deps.onChange();
    this.#tellArrivals();
  }

  /** Stops the clock. */
  dispose(): void {
    this.#nextLook?.cancel();
  }

  get #news() {
    return this.#pairing === undefined ? [] : newsOf(this.#pairing);
  }

  get #shown(): string {
    return JSON.stringify([this.#line, this.#hosts, this.#news]);
  }

  #findLost(): void {
    const { time, mirror } = this.#deps.server;
    const { isFilled, maps } = mirror;
    if (this.#lostId === "" || this.#pairing !== undefined || !isFilled) return;
    this.#pairing = maps.pairings.get(this.#lostId);
    this.#clockSkewMs = time.aheadMs;
    if (this.#pairing === undefined && this.#line.kind !== "over") this.show({ kind: "over" });
  }

  #look(pairing: Pairing, isKnown: boolean): void {
    const { server, authId, clock, name } = this.#deps;
    const { isFilled, maps } = server.mirror;
    const serverNowMs = clock.now() + this.#clockSkewMs;
    this.#hadCredential ||= maps.credentials.has(authId);
    this.#line = lineOf({
      pairing,
      // after signing out nothing is known
      isListed: isKnown || pairing === this.#answered || !isFilled,
      isLost: this.#answered === undefined,
      hasCredential: !isFilled || !this.#hadCredential || maps.credentials.has(authId),
      serverNowMs,
    });
    if (!isFilled) return;
    const { clients, joins } = maps;
    const told = { pairing, clients, joins: joins.values(), arrived: this.#arrived };
    this.#hosts = hostsOf({ ...told, name: name(), serverNowMs });
  }

  /** Some things happen by the passing of time. */
  #watch(): void {
    const { clock } = this.#deps;
    const nowMs = clock.now() + this.#clockSkewMs;
    const moments = this.#hosts.map(({ at }) => Date.parse(at) + SILENT_AFTER_MS);
    if (this.#line.kind === "open") moments.push(Date.parse(this.#line.expiresAt));
    const left = moments.map((moment) => moment - nowMs).filter((ms) => ms > 0);
    this.#nextLook?.cancel();
    if (left.length === 0) return;
    this.#nextLook = clock.after(Math.min(LONGEST_LOOK_MS, ...left), () => this.update());
  }

  #tellArrivals(): void {
    for (const host of this.#hosts) {
      if (host.stage !== "connected" || this.#arrived.has(host.clientId)) continue;
      this.#arrived.add(host.clientId);
      this.#deps.onArrived(host);
    }
  }
}
