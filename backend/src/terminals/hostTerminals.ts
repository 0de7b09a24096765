import { AGENT_ANSWER_MAX_BYTES, FEATURES, REQUESTS } from "@rport/protocol/agent";
import { RportError } from "@rport/protocol/errors";
import type { ClientId } from "@rport/protocol/ids";
import {
  HELD_TERMINALS_MAX,
  type HeldTerminal,
  heldTerminalSchema,
  TERMINAL,
  terminalIdSchema,
} from "@rport/protocol/terminal/terminal";
import { parseJsonPayload } from "@rport/protocol/wire/jsonPayload";
import { z } from "zod";
import type { LiveSession } from "../clients/liveSession.ts";
import type { SessionTerminals } from "../clients/session/sessionDeps.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import { errorText, type Log } from "../platform/log.ts";
import { HostWord } from "./hostWord.ts";
import type { TerminalIds } from "./terminalIds.ts";
import type { Terminals } from "./terminals.ts";
import type { OpenTerminal } from "./terminalTable.ts";

/** A host that has been away for so long has ended its terminals, whether it comes back or not. */
const PRESUMED_MS = TERMINAL.keepMs + 60_000;

/** Each entry is read for itself: one that makes no sense takes none of the others away. */
const listSchema = z.object({ terminals: z.array(z.unknown()).max(HELD_TERMINALS_MAX) });

/** An entry of which no more is understood. */
const namedSchema = z.object({ id: terminalIdSchema });

/** What hosts' words about terminals are heard with. */
export interface HostTerminalsDeps {
  readonly terminals: Terminals;
  readonly ids: TerminalIds;
  /** Who is in as a client; everybody else who claims its id is not heard of its terminals. */
  readonly connected: (clientId: ClientId) => object | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** What hosts say of their terminals, and what they are told of them. */
export class HostTerminals implements SessionTerminals {
  readonly #deps: HostTerminalsDeps;
  readonly #words = new WeakMap<object, HostWord>();
  readonly #away = new Map<ClientId, Timer>();

  constructor(deps: HostTerminalsDeps) {
    this.#deps = deps;
  }

  arrived(session: LiveSession): void {
    const { clientId } = session;
    if (clientId === undefined || !this.#isIn(session)) return;
    this.#away.get(clientId)?.cancel();
    this.#away.delete(clientId);
    // Those that are begun over this connection come later: they need not be in its answer yet.
    const before = this.#deps.terminals.table.of(clientId);
    const hasSome = session.features.includes(FEATURES.terminal);
    if (!hasSome) this.#listed(session, clientId, { terminals: [], before });
    this.#wordOf(session).begin(async () => !hasSome || this.#ask(session, clientId, before));
  }

  /** Resolves when the host of this connection is in. Throws `CLIENT_OFFLINE` where the connection ended before. */
  async cameIn(session: object): Promise<void> {
    if (await this.#wordOf(session).cameIn()) return;
    throw new RportError("CLIENT_OFFLINE", "The client is not connected.");
  }

  /**
   * Resolves when the host of this connection is in and has said which terminals it has. Throws
   * `CLIENT_OFFLINE` where it did not: what it has is not known then, and whoever asks again may learn it.
   */
  async known(session: object): Promise<void> {
    if (await this.#wordOf(session).given()) return;
    throw new RportError("CLIENT_OFFLINE", "The client has not said which terminals it has.");
  }

  left(session: LiveSession): void {
    this.#wordOf(session).end();
    const { clientId } = session;
    if (clientId === undefined || !this.#isIn(session)) return;
    if (this.#deps.terminals.table.of(clientId).length === 0) return;
    this.#away.get(clientId)?.cancel();
    const timer = this.#deps.clock.after(PRESUMED_MS, () => this.#presume(clientId));
    this.#away.set(clientId, timer);
  }

  ended(session: LiveSession, held: HeldTerminal): boolean {
    const { clientId } = session;
    if (clientId === undefined || !this.#isIn(session)) return false;
    const { ended } = held;
    if (ended === undefined || !this.#isGenuine(clientId, held)) return false;
    this.#over(clientId, held, ended);
    return true;
  }

  /** In one word, which gets through before the connection is cut. */
  endAll(session: LiveSession): void {
    const { clientId, features, isClosed } = session;
    if (clientId === undefined || isClosed || !features.includes(FEATURES.terminal)) return;
    if (!this.#isIn(session)) return;
    for (const terminal of this.#deps.terminals.table.of(clientId)) terminal.ending = "forbidden";
    session.notify(REQUESTS.endTerminal, { how: "forbidden" });
  }

  /** There is no such client any more, so nobody will say what became of its terminals. */
  forgotten(clientId: ClientId): void {
    this.#away.get(clientId)?.cancel();
    this.#presume(clientId);
  }

  /** Waits for no host any more. */
  close(): void {
    for (const timer of this.#away.values()) timer.cancel();
    this.#away.clear();
  }

  /** Whoever only says that it is the client may have been refused, or replaced. */
  #isIn(session: LiveSession): boolean {
    const { clientId } = session;
    return clientId !== undefined && this.#deps.connected(clientId) === session;
  }

  #wordOf(session: object): HostWord {
    const word = this.#words.get(session) ?? new HostWord();
    this.#words.set(session, word);
    return word;
  }

  /** Whether it answered. */
  async #ask(
    session: LiveSession,
    clientId: ClientId,
    before: readonly OpenTerminal[],
  ): Promise<boolean> {
    try {
      const reply = await session.ask(REQUESTS.listTerminals, {});
      if (!reply.ok) throw new Error(reply.payload.toString("utf8", 0, 200));
      const answer = parseJsonPayload(reply.payload, AGENT_ANSWER_MAX_BYTES);
      this.#listed(session, clientId, this.#read(clientId, listSchema.parse(answer), before));
      return true;
    } catch (error) {
      const fields = { client: clientId, reason: errorText(error) };
      this.#deps.log.warn("a host did not say which terminals it has", fields);
      return false;
    }
  }

  /** Of an entry that makes no sense nothing is taken but the id: that terminal is not taken for gone. */
  #read(
    clientId: ClientId,
    { terminals: said }: z.infer<typeof listSchema>,
    before: readonly OpenTerminal[],
  ): Listed {
    const terminals = said.flatMap((entry) => heldTerminalSchema.safeParse(entry).data ?? []);
    const nonsense = said.length - terminals.length;
    if (nonsense === 0) return { terminals, before };
    const fields = { client: clientId, entries: nonsense };
    this.#deps.log.warn("what a host says of some of its terminals makes no sense", fields);
    const named = new Set(said.flatMap((entry) => namedSchema.safeParse(entry).data?.id ?? []));
    return { terminals, before: before.filter(({ id }) => !named.has(id)) };
  }

  /** What it has not any more is over: it may have ended while nobody was told, as when its agent was killed. */
  #listed(session: LiveSession, clientId: ClientId, { terminals: listed, before }: Listed): void {
    const { terminals, clock } = this.#deps;
    const genuine = listed.filter((held) => this.#isGenuine(clientId, held));
    const ids = new Set(genuine.map(({ id }) => id));
    for (const terminal of before) {
      const isGone = !ids.has(terminal.id) && terminals.table.get(terminal.id) === terminal;
      if (isGone) terminals.over(terminal, { end: { how: "stopped" }, endedAtMs: clock.now() });
    }
    for (const held of genuine) {
      if (held.ended === undefined) this.#isThere(session, clientId, held);
      else this.#over(clientId, held, held.ended);
    }
    terminals.review(clientId);
  }

  /** One that is over is not believed to be there again; it is to end. */
  #isThere(session: LiveSession, clientId: ClientId, held: HeldTerminal): void {
    const { terminals } = this.#deps;
    const known = terminals.table.get(held.id);
    if (known !== undefined) {
      terminals.tell(session, known);
      return;
    }
    const terminal = terminals.asTold(clientId, held);
    if (terminals.isOver(held.id)) terminals.tell(session, { ...terminal, ending: "closed" });
    else this.#takeBack(terminal);
  }

  /** One more than a limit allows, which has said so, is nobody's: its host ends it in its time. */
  #takeBack(terminal: OpenTerminal): void {
    try {
      this.#deps.terminals.table.addTold(terminal);
    } catch (error) {
      if (!(error instanceof RportError)) throw error;
    }
  }

  #over(clientId: ClientId, held: HeldTerminal, ended: NonNullable<HeldTerminal["ended"]>): void {
    const { terminals } = this.#deps;
    const known = terminals.table.get(held.id);
    if (known === undefined) terminals.wasOver(clientId, held, ended);
    else terminals.over(known, { end: ended.end, endedAtMs: ended.atMs });
  }

  #isGenuine(clientId: ClientId, { id, owner }: HeldTerminal): boolean {
    return this.#deps.ids.isGiven(id, { clientId, owner });
  }

  #presume(clientId: ClientId): void {
    this.#away.delete(clientId);
    const { terminals } = this.#deps;
    for (const terminal of terminals.table.of(clientId)) terminals.presume(terminal, "left");
  }
}

/** What a host said that it has, and what was known of it when it was asked. */
interface Listed {
  readonly terminals: readonly HeldTerminal[];
  readonly before: readonly OpenTerminal[];
}
