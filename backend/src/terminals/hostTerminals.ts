import { AGENT_ANSWER_MAX_BYTES, FEATURES, REQUESTS } from "@rport/protocol/agent";
import type { ClientId } from "@rport/protocol/ids";
import {
  type HeldTerminal,
  heldTerminalsSchema,
  TERMINAL,
} from "@rport/protocol/terminal/terminal";
import { parseJsonPayload } from "@rport/protocol/wire/jsonPayload";
import type { LiveSession } from "../clients/liveSession.ts";
import type { SessionTerminals } from "../clients/session/sessionDeps.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import { errorText, type Log } from "../platform/log.ts";
import type { TerminalIds } from "./terminalIds.ts";
import type { Terminals } from "./terminals.ts";
import type { OpenTerminal } from "./terminalTable.ts";

/** A host that has been away for so long has ended its terminals, whether it comes back or not. */
const PRESUMED_MS = TERMINAL.keepMs + 60_000;

/** What hosts' words about terminals are heard with. */
export interface HostTerminalsDeps {
  readonly terminals: Terminals;
  readonly ids: TerminalIds;
  readonly clock: Clock;
  readonly log: Log;
}

/** What hosts say of their terminals, and what they are told of them. */
export class HostTerminals implements SessionTerminals {
  readonly #deps: HostTerminalsDeps;
  /** Until a host has said which ones it has. */
  readonly #asking = new WeakMap<object, Promise<void>>();
  readonly #away = new Map<ClientId, Timer>();

  constructor(deps: HostTerminalsDeps) {
    this.#deps = deps;
  }

  arrived(session: LiveSession): void {
    const { clientId } = session;
    if (clientId === undefined) return;
    this.#away.get(clientId)?.cancel();
    this.#away.delete(clientId);
    if (!session.features.includes(FEATURES.terminal)) return;
    const before = this.#deps.terminals.table.of(clientId);
    this.#asking.set(session, this.#ask(session, clientId, before));
  }

  /** Resolves when the host of this connection has said which ones it has, or failed to. */
  async known(session: object): Promise<void> {
    await this.#asking.get(session);
  }

  left({ clientId }: LiveSession): void {
    if (clientId === undefined || this.#deps.terminals.table.of(clientId).length === 0) return;
    this.#away.get(clientId)?.cancel();
    const timer = this.#deps.clock.after(PRESUMED_MS, () => this.#presume(clientId));
    this.#away.set(clientId, timer);
  }

  ended({ clientId }: LiveSession, held: HeldTerminal): boolean {
    if (clientId === undefined || !this.#isGenuine(clientId, held)) return false;
    const { ended } = held;
    if (ended !== undefined) this.#over(clientId, held, ended);
    return ended !== undefined;
  }

  /** In one word, which gets through before the connection is cut. */
  endAll(session: LiveSession): void {
    const { clientId, features, isClosed } = session;
    if (clientId === undefined || isClosed || !features.includes(FEATURES.terminal)) return;
    for (const terminal of this.#deps.terminals.table.of(clientId)) terminal.ending = "forbidden";
    session.notify(REQUESTS.endTerminal, { how: "forbidden" });
  }

  /** Waits for no host any more. */
  close(): void {
    for (const timer of this.#away.values()) timer.cancel();
    this.#away.clear();
  }

  async #ask(
    session: LiveSession,
    clientId: ClientId,
    before: readonly OpenTerminal[],
  ): Promise<void> {
    try {
      const reply = await session.ask(REQUESTS.listTerminals, {});
      if (!reply.ok) throw new Error(reply.payload.toString("utf8", 0, 200));
      const answer = parseJsonPayload(reply.payload, AGENT_ANSWER_MAX_BYTES);
      const { terminals } = heldTerminalsSchema.parse(answer);
      this.#listed(session, clientId, { terminals, before });
    } catch (error) {
      const fields = { client: clientId, reason: errorText(error) };
      this.#deps.log.warn("a host did not say which terminals it has", fields);
    }
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

  /** One of which the same host has told the end is not believed to be there again; it is to end. */
  #isThere(session: LiveSession, clientId: ClientId, held: HeldTerminal): void {
    const { terminals } = this.#deps;
    const known = terminals.table.get(held.id);
    if (known !== undefined) {
      terminals.tell(session, known);
      return;
    }
    const { id, owner, ownerName, account, startedAtMs } = held;
    const isOver = terminals.endOf(id)?.isPresumed === false;
    const terminal: OpenTerminal = {
      id,
      clientId,
      owner,
      ownerName,
      account,
      startedAtMs,
      address: undefined,
      viewer: undefined,
      isTakenOver: false,
      ending: isOver ? "closed" : undefined,
    };
    if (isOver) terminals.tell(session, terminal);
    else terminals.table.add(terminal);
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
    const { terminals, clock } = this.#deps;
    for (const terminal of terminals.table.of(clientId)) {
      terminals.over(terminal, { end: { how: "left" }, endedAtMs: clock.now(), isPresumed: true });
    }
  }
}

/** What a host said that it has, and what was known of it when it was asked. */
interface Listed {
  readonly terminals: readonly HeldTerminal[];
  readonly before: readonly OpenTerminal[];
}
