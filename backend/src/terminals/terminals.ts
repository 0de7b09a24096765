import { FEATURES, REQUESTS } from "@rport/protocol/agent";
import { CLOSE_CODES, RportError } from "@rport/protocol/errors";
import type { ClientId } from "@rport/protocol/ids";
import type { TerminalView } from "@rport/protocol/terminal/endpoints";
import {
  type HeldTerminal,
  TERMINAL,
  type TerminalEnd,
  type TerminalId,
} from "@rport/protocol/terminal/terminal";
import type { AuditedEnd, AuditedTerminal, TerminalEvents } from "../audit/terminalEvents.ts";
import type { LiveSession } from "../clients/liveSession.ts";
import type { Limits } from "../limits/limits.ts";
import { type Clock, type Timer, toTime } from "../platform/clock.ts";
import { RecentMap } from "../platform/recentMap.ts";
import type { Recordings } from "../recordings/recordings.ts";
import type { Actor } from "../users/actor.ts";
import type { TerminalIds } from "./terminalIds.ts";
import type { TerminalOwners } from "./terminalOwners.ts";
import { isSeen, type OpenTerminal, TerminalTable, type Viewer } from "./terminalTable.ts";

/** Ended terminals that are remembered, so that whoever comes back is told how. */
const ENDED_MAX = 10_000;

/** A host that obeys has ended a terminal within this, and said so. */
const CONFIRMED_MS = 12_000;
/** No host keeps for longer what an ended terminal wrote, unless its line was cut. */
const REST_KEPT_MS = TERMINAL.keepMs + 60_000;

/** A connection to a host, as far as its terminals go. */
export type TerminalLink = Pick<
  LiveSession,
  "clientId" | "features" | "isClosed" | "notify" | "openChannel"
>;

/** What terminals stand on. */
export interface TerminalsDeps {
  readonly ids: TerminalIds;
  readonly owners: TerminalOwners;
  readonly events: Pick<TerminalEvents, "ended">;
  readonly connected: (clientId: ClientId) => TerminalLink | undefined;
  readonly hostnameOf: (clientId: ClientId) => string | undefined;
  readonly recordings: Pick<Recordings, "over">;
  readonly limits: Pick<Limits, "max" | "bite" | "isShared" | "watch">;
  readonly clock: Clock;
}

/** How one ended that is there no more. */
export interface EndedTerminal {
  /** Its host may keep the last of its output for a while. */
  readonly terminal: OpenTerminal;
  readonly end: TerminalEnd;
  /** Nobody said so. */
  readonly isPresumed: boolean;
  /** Its host has nothing of it any more. */
  isForgotten(): boolean;
}

/** The terminals that people have on hosts: which there are, who may have them, and their ends. */
export class Terminals {
  readonly table: TerminalTable;
  readonly #deps: TerminalsDeps;
  /** Those that their hosts were told to end, and have not said that they have. */
  readonly #unconfirmed = new Map<OpenTerminal, Timer>();
  readonly #ended = new RecentMap<TerminalId, EndedTerminal>(ENDED_MAX);

  constructor(deps: TerminalsDeps) {
    this.#deps = deps;
    this.table = new TerminalTable(deps);
  }

  /** How many have a place, and how many of them somebody looks at. */
  get counts(): { readonly open: number; readonly attached: number } {
    const { taken } = this.table.places;
    const attached = [...taken].filter(({ viewer }) => viewer !== undefined);
    return { open: taken.size, attached: attached.length };
  }

  /** How a terminal ended, if that was of late. */
  endOf(id: TerminalId): EndedTerminal | undefined {
    return this.#ended.get(id);
  }

  /** What somebody is shown: their own; administrators see all. */
  *seenBy({ accountId, isAdministrator }: Actor): Generator<TerminalView> {
    for (const terminal of this.table.all()) {
      if (isAdministrator || terminal.owner === accountId) yield this.#view(terminal);
    }
  }

  /** Ends one of their own, for an administrator any. Throws `NOT_FOUND`. */
  close(id: TerminalId, { accountId, isAdministrator }: Actor): OpenTerminal {
    const terminal = this.table.get(id);
    if (terminal === undefined || !(isAdministrator || terminal.owner === accountId)) {
      throw new RportError("NOT_FOUND", "There is no such terminal.");
    }
    this.end(terminal, "closed");
    return terminal;
  }

  /** Tells the host to end it, now or as soon as it is back. */
  end(terminal: OpenTerminal, how: "closed" | "forbidden"): void {
    if (terminal.ending !== "forbidden") terminal.ending = how;
    const link = this.#deps.connected(terminal.clientId);
    if (link !== undefined) this.tell(link, terminal);
  }

  /**
   * Tells a host to end a terminal whose end is wanted. Its answer is not waited for, so that all are
   * told before a connection is cut: what became of it the host tells by itself.
   */
  tell(link: TerminalLink, terminal: OpenTerminal): void {
    const { id, ending: how } = terminal;
    if (how === undefined || link.isClosed || !link.features.includes(FEATURES.terminal)) return;
    link.notify(REQUESTS.endTerminal, { id, how });
    if (!this.table.has(terminal) || this.#unconfirmed.has(terminal)) return;
    const timer = this.#deps.clock.after(CONFIRMED_MS, () => this.presume(terminal, how));
    this.#unconfirmed.set(terminal, timer);
  }

  /** Nobody says what became of it. */
  presume(terminal: OpenTerminal, how: TerminalEnd["how"]): void {
    const endedAtMs = this.#deps.clock.now();
    this.over(terminal, { end: { how: terminal.ending ?? how }, endedAtMs, isPresumed: true });
  }

  /** Its host did not begin it, or begins it late, and is to end it then. */
  abandon(terminal: OpenTerminal): void {
    this.end(terminal, "closed");
    this.#remove(terminal);
  }

  /** Whether one that is not there is over, whatever its host says; of one that this server gave. */
  isOver(id: TerminalId): boolean {
    const ended = this.#ended.get(id);
    if (ended === undefined) return this.#deps.ids.isOfThisRun(id);
    return !ended.isPresumed || ended.terminal.ending !== undefined;
  }

  /** Waits for no host any more. */
  waitNoMore(): void {
    for (const timer of this.#unconfirmed.values()) timer.cancel();
    this.#unconfirmed.clear();
  }

  /** Somebody may do or see something else now: ends what they may have no longer, also what is over and seen. */
  review(clientId?: ClientId): void {
    const { owners } = this.#deps;
    for (const terminal of this.table.places.taken) {
      if (clientId !== undefined && terminal.clientId !== clientId) continue;
      const isAllowed = owners.may(terminal.owner, terminal.clientId);
      if (isAllowed || terminal.ending === "forbidden") continue;
      this.end(terminal, "forbidden");
    }
  }

  /** It has ended, which is written down once; its place is free when nobody looks at it any more. */
  over(
    terminal: OpenTerminal,
    { end, endedAtMs, isPresumed = false }: Omit<AuditedEnd, "startedAtMs">,
  ): void {
    this.#write(terminal, { end, endedAtMs, isPresumed });
    this.#remove(terminal);
    this.#remember(terminal, end, isPresumed);
    terminal.viewer?.over();
    this.left(terminal);
  }

  /** Somebody looks at it no more: when it is over, too, its place is free, and its recording complete. */
  left(terminal: OpenTerminal): void {
    const { id } = terminal;
    this.table.vacate(terminal);
    const ended = this.endOf(id);
    if (ended !== undefined && !isSeen(terminal)) void this.#deps.recordings.over(id, ended.end);
  }

  /** It may not go on, with a sentence for whoever looks at it. */
  stop(id: TerminalId, reason: string): void {
    const terminal = this.table.get(id);
    if (terminal === undefined) return;
    terminal.viewer?.leave(CLOSE_CODES.refused, reason);
    this.end(terminal, "closed");
  }

  /** Whether what it shows is recorded. */
  isRecorded({ id, clientId, owner }: Pick<OpenTerminal, "id" | "clientId" | "owner">): boolean {
    return this.#deps.ids.isRecorded(id, { clientId, owner });
  }

  /** The same for one that ended before this server knew of it; nothing when it is known already. */
  wasOver(clientId: ClientId, held: HeldTerminal, ended: NonNullable<HeldTerminal["ended"]>): void {
    if (this.#ended.has(held.id)) return;
    const terminal = this.asTold(clientId, held);
    this.#write(terminal, { end: ended.end, endedAtMs: ended.atMs });
    this.#remember(terminal, ended.end);
  }

  /**
   * What a host says of one, as one of the client's that nobody looks at. Whose it is and since when is
   * known by its id, whatever the host says.
   */
  asTold(clientId: ClientId, { id, owner, account }: HeldTerminal): OpenTerminal {
    const { owners, ids } = this.#deps;
    const ownerName = owners.nameOf(owner);
    const startedAtMs = ids.givenAtMs(id);
    const facts = { address: undefined, viewer: undefined, ending: undefined };
    const takers = new Set<Viewer>();
    return { id, clientId, owner, ownerName, account, startedAtMs, takers, ...facts };
  }

  /** What the audit log is told of one. */
  audited(
    terminal: Pick<OpenTerminal, "id" | "clientId" | "owner" | "ownerName" | "address" | "account">,
  ): AuditedTerminal {
    const { id, clientId, owner, ownerName, address, account } = terminal;
    const name = this.#deps.owners.nameOf(owner, ownerName);
    const hostname = this.#deps.hostnameOf(clientId);
    const isRecorded = this.isRecorded(terminal);
    const user = { accountId: owner, name };
    return { id, clientId, hostname, user, address, account, isRecorded };
  }

  #remove(terminal: OpenTerminal): void {
    this.#unconfirmed.get(terminal)?.cancel();
    this.#unconfirmed.delete(terminal);
    this.table.remove(terminal);
  }

  #remember(terminal: OpenTerminal, end: TerminalEnd, isPresumed = false): void {
    const { clock } = this.#deps;
    const untilMs = clock.monotonic() + REST_KEPT_MS;
    const isForgotten = () => clock.monotonic() > untilMs;
    this.#ended.set(terminal.id, { terminal, end, isPresumed, isForgotten });
  }

  /** A host's clock may be wrong, or lie: nothing ended before it began, or later than now. */
  #write(
    terminal: OpenTerminal,
    { endedAtMs: told, ...how }: Omit<AuditedEnd, "startedAtMs">,
  ): void {
    const { startedAtMs } = terminal;
    const endedAtMs = Math.max(startedAtMs, Math.min(told, this.#deps.clock.now()));
    this.#deps.events.ended(this.audited(terminal), { startedAtMs, endedAtMs, ...how });
  }

  #view(terminal: OpenTerminal): TerminalView {
    const { id, clientId, owner, ownerName, account, startedAtMs, viewer } = terminal;
    return {
      id,
      client_id: clientId,
      owner: this.#deps.owners.nameOf(owner, ownerName),
      account,
      started_at: toTime(startedAtMs),
      attached: viewer !== undefined,
      connected: this.#deps.connected(clientId) !== undefined,
      recorded: this.isRecorded(terminal),
    };
  }
}
