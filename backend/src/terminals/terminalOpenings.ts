import type { Duplex } from "node:stream";
import { FEATURES } from "@rport/protocol/agent";
import { withoutDeceptive } from "@rport/protocol/deceptive";
import { RportError } from "@rport/protocol/errors";
import type { ClientId } from "@rport/protocol/ids";
import { beginningOf } from "@rport/protocol/ownText";
import { encodeFrame } from "@rport/protocol/terminal/frame";
import {
  type HostOpening,
  TERMINAL,
  type TerminalEnd,
  type TerminalId,
  type TerminalOffer,
  type TerminalWish,
  type ViewerOpening,
} from "@rport/protocol/terminal/terminal";
import { WireError } from "@rport/protocol/wire/wireError";
import type { Audit } from "../audit/entry.ts";
import type { AuditedTerminal, TerminalEvents } from "../audit/terminalEvents.ts";
import type { Clock } from "../platform/clock.ts";
import type { Recorder } from "../recordings/recorder.ts";
import type { Recordings } from "../recordings/recordings.ts";
import { asTrouble, openedInTime, requireLink } from "../tunnels/dialer.ts";
import type { Actor } from "../users/actor.ts";
import { Attachment } from "./attachment.ts";
import type { HostTerminals } from "./hostTerminals.ts";
import type { TerminalIds } from "./terminalIds.ts";
import { TAKEN_OVER, type TerminalStream } from "./terminalStream.ts";
import type { TerminalLink, Terminals } from "./terminals.ts";
import type { OpenTerminal } from "./terminalTable.ts";

/** Who comes back to a terminal does not say again which kind it was begun as. */
const USUAL_TERM = "xterm-256color";

/** What terminals are opened with. */
export interface TerminalOpeningsDeps {
  readonly terminals: Terminals;
  readonly hosts: Pick<HostTerminals, "cameIn" | "known">;
  readonly ids: TerminalIds;
  readonly connected: (clientId: ClientId) => TerminalLink | undefined;
  /** What a client's agent says of terminals; null: nothing. */
  readonly offerOf: (clientId: ClientId) => TerminalOffer | null | undefined;
  readonly recordings: Pick<Recordings, "isWanted" | "recorderOf" | "over">;
  readonly events: Pick<TerminalEvents, "opened" | "resumed" | "failed">;
  readonly audit: Pick<Audit, "ready">;
  readonly clock: Clock;
}

/** Who wants what of which client. */
export interface OpeningCall {
  readonly clientId: ClientId;
  readonly actor: Actor;
  readonly address: string;
  readonly opening: ViewerOpening;
  /** Throws once whoever asks may not have it any more. */
  readonly requireRight: () => void;
}

/** Begins terminals on hosts, and gives them back to their owners. */
export class TerminalOpenings {
  readonly #deps: TerminalOpeningsDeps;

  constructor(deps: TerminalOpeningsDeps) {
    this.#deps = deps;
  }

  /**
   * Begins a terminal or goes on with one, and answers with the channel to its host, which is to be
   * joined to the stream; undefined: it has ended already, and the stream was told how. Throws
   * `CLIENT_OFFLINE`, `AGENT_CANNOT` (no terminals there, with what to do), `TARGET_NOT_ALLOWED` (not
   * as this account), `NOT_FOUND` (no such terminal of theirs), `CONFLICT` or `UNAVAILABLE` (too many, or the
   * viewer has left), `AGENT_REFUSED` or `AGENT_TIMEOUT`. Every sentence fits a close frame.
   */
  async open(call: OpeningCall, stream: TerminalStream): Promise<Duplex | undefined> {
    const { wish } = call.opening;
    const link = requireLink(this.#deps.connected(call.clientId));
    return wish.kind === "new"
      ? await this.#begin(call, link, stream)
      : await this.#resume({ ...call, id: wish.id }, link, stream);
  }

  async #begin(call: OpeningCall, link: TerminalLink, stream: TerminalStream): Promise<Duplex> {
    const { clientId, actor, address } = call;
    const { terminals, hosts, ids, recordings, audit } = this.#deps;
    const offer = requireOffer(link, this.#deps.offerOf(clientId));
    const account = requireAccount(offer, call.opening.wish);
    // What was there before the host came, as far as is known here, and is not in its list is taken for gone.
    await hosts.cameIn(link);
    await audit.ready();
    call.requireRight();
    if (stream.hasLeft) throw new RportError("CONFLICT", "The terminal's viewer has left.");
    terminals.table.places.requireRoom(clientId, actor, offer.max);
    const owner = actor.accountId;
    const id = ids.give({ clientId, owner }, recordings.isWanted(clientId));
    const terminal: OpenTerminal = {
      id,
      clientId,
      owner,
      ownerName: actor.name,
      address,
      account,
      startedAtMs: ids.givenAtMs(id),
      viewer: undefined,
      takers: new Set(),
      ending: undefined,
    };
    terminals.table.add(terminal);
    try {
      return await this.#attach({ call, link, stream, terminal });
    } catch (error) {
      terminals.abandon(terminal);
      // Its place among the recordings is free before anybody asks again.
      await recordings.over(id, { how: "failed" });
      throw error;
    }
  }

  async #resume(
    call: OpeningCall & { readonly id: TerminalId },
    link: TerminalLink,
    stream: TerminalStream,
  ): Promise<Duplex | undefined> {
    const { terminals, hosts } = this.#deps;
    await hosts.known(link);
    call.requireRight();
    const ended = terminals.endOf(call.id);
    const terminal = this.#theirs(call);
    const how = terminal.ending ?? (ended?.isForgotten() === true ? ended.end.how : undefined);
    // One whose end is wanted is as good as ended; of any other its host may have output still.
    if (how !== undefined) {
      tellEnd(stream, ended?.end ?? { how });
      return undefined;
    }
    try {
      return await this.#attach({ call, link, stream, terminal });
    } catch (error) {
      const end = terminals.endOf(call.id)?.end;
      if (end === undefined || !isRefusal(error)) throw error;
      tellEnd(stream, end);
      return undefined;
    }
  }

  /** One that is there, or that ended of late. */
  #theirs({
    id,
    actor,
    clientId,
  }: Pick<OpeningCall, "actor" | "clientId"> & { id: TerminalId }): OpenTerminal {
    const { terminals } = this.#deps;
    const terminal = terminals.table.get(id) ?? terminals.endOf(id)?.terminal;
    const isTheirs = terminal?.owner === actor.accountId && terminal.clientId === clientId;
    if (!isTheirs) throw new RportError("NOT_FOUND", "There is no such terminal of yours.");
    return terminal;
  }

  async #attach({ call, link, stream, terminal }: Attaching): Promise<Duplex> {
    const { terminals, events } = this.#deps;
    const audited: AuditedTerminal = {
      ...terminals.audited(terminal),
      address: call.address,
    };
    terminals.table.places.claim(terminal);
    terminal.takers.add(stream);
    try {
      const recorder = await this.#recorder(call, terminal);
      const channel = await this.#channel(link, call, terminal);
      const attachment = new Attachment({
        ...this.#deps,
        terminal,
        stream,
        wish: call.opening.wish,
        audited,
        recorder,
      });
      // Whoever came while the host was asked is displaced, too.
      const before = terminal.viewer;
      attachment.begin(channel);
      before?.leave(TAKEN_OVER.code, TAKEN_OVER.reason);
      // Whoever may have none any more may have lost that while the host was asked.
      terminals.tell(link, terminal);
      return channel;
    } catch (error) {
      const isOver = terminals.endOf(terminal.id) !== undefined;
      if (!isOver) events.failed(audited, RportError.from(error).message);
      throw error;
    } finally {
      terminal.takers.delete(stream);
      terminals.left(terminal);
    }
  }

  /** Before the host is asked: nothing that has to be recorded is begun where that cannot be. */
  async #recorder(
    { opening: { size, wish } }: OpeningCall,
    terminal: OpenTerminal,
  ): Promise<Recorder | undefined> {
    const { terminals, recordings } = this.#deps;
    if (!terminals.isRecorded(terminal)) return undefined;
    const { id: terminalId, clientId, owner, ownerName, account } = terminal;
    const hostname = terminals.audited(terminal).hostname ?? "";
    const term = wish.kind === "new" ? wish.env.TERM : USUAL_TERM;
    const whose = { terminalId, clientId, hostname, owner, ownerName, account };
    return await recordings.recorderOf({ ...whose, size, term });
  }

  #channel(
    link: TerminalLink,
    { actor, opening: { size, wish } }: OpeningCall,
    { id, owner }: OpenTerminal,
  ): Promise<Duplex> {
    const said: HostOpening = { id, owner, ownerName: actor.name || owner, size, wish };
    if (Buffer.byteLength(JSON.stringify(said)) > TERMINAL.openingBytes) {
      throw new RportError("BAD_REQUEST", "The opening of the terminal is too long.");
    }
    return openedInTime(this.#deps.clock, link.openChannel(said, actor), asRefusal);
  }
}

interface Attaching {
  readonly call: OpeningCall;
  readonly link: TerminalLink;
  readonly stream: TerminalStream;
  readonly terminal: OpenTerminal;
}

/** One that has ended is shown how, as by its host. */
function tellEnd(stream: TerminalStream, end: TerminalEnd): void {
  stream.write(encodeFrame({ kind: "ended", json: Buffer.from(JSON.stringify(end)) }));
}

function isRefusal(error: unknown): boolean {
  return error instanceof RportError && error.code === "AGENT_REFUSED";
}

function asRefusal(error: unknown): RportError {
  if (!(error instanceof WireError) || error.kind !== "refused") return asTrouble(error);
  const why = beginningOf(withoutDeceptive(error.message), 500);
  return new RportError("AGENT_REFUSED", `The client: ${why}`, { detail: why });
}

/** Why there are no terminals, and what to do, in what a close frame takes. */
const NO_TERMINALS = {
  none: "The client's agent knows no terminals: update it, or use ssh NAME.rport where a sshd runs.",
  off: "The client allows no terminals: set [terminal] enabled = true in its rport.conf.",
  runtime:
    "The client's agent can open none as it runs: give it Node 24.21 or newer and /bin/bash, or our executable.",
  accounts:
    "No account is on the client that its rport.conf allows terminals as ([terminal] accounts).",
  system: "The client's system has no terminals that its agent could open.",
} as const;

function requireOffer(
  { features }: Pick<TerminalLink, "features">,
  offer: TerminalOffer | null | undefined,
): Extract<TerminalOffer, { state: "on" }> {
  if (offer === null || offer === undefined) throw cannot("none");
  if (offer.state !== "on") throw cannot(offer.state);
  if (!features.includes(FEATURES.terminal)) throw cannot("none");
  return offer;
}

/** The account that a new one runs as. */
function requireAccount(
  { accounts }: Extract<TerminalOffer, { state: "on" }>,
  wish: TerminalWish,
): string {
  const [usual = ""] = accounts;
  const account = wish.kind === "new" ? (wish.account ?? usual) : usual;
  if (accounts.includes(account)) return account;
  throw new RportError("TARGET_NOT_ALLOWED", "The client offers no terminal as this account.");
}

function cannot(why: keyof typeof NO_TERMINALS): RportError {
  return new RportError("AGENT_CANNOT", NO_TERMINALS[why]);
}
