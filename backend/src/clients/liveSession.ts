import type { Duplex } from "node:stream";
import type { ClientId } from "@rport/protocol/ids";
import type { ConnectionEnd } from "@rport/protocol/model";
import type { HostPort } from "@rport/protocol/remote";
import type { HostOpening } from "@rport/protocol/terminal/terminal";
import type { Reply } from "@rport/protocol/wire/requests";
import type { SessionHandle } from "../credentials/ports.ts";
import type { Sharer } from "../limits/sharer.ts";

/** What tunnels need of a connected agent. */
export interface AgentLink {
  readonly clientId: ClientId | undefined;
  readonly isClosed: boolean;
  /** False for the versions of RPort's client that have no rules about targets to be asked for. */
  readonly hasTunnelRules: boolean;
  /**
   * Asks the agent something; the payload is sent as JSON. Rejects with a `WireError` when the
   * connection ends, also because the answer is overdue.
   */
  ask(name: string, payload: object, timeoutMs?: number): Promise<Reply>;
  /**
   * Asks something that may take long; the answer is the same. An agent that knows how accepts it
   * and tells its end later, so that nothing else waits for it. `user`: on whose behalf, each of whom
   * has a share of what may be under way; undefined: nobody's. Rejects as `ask` does, and with
   * `TOO_MANY_REQUESTS` or `UNAVAILABLE` when too many are under way; when only the end is overdue,
   * the connection stays.
   */
  askLong(name: string, payload: object, user?: Sharer): Promise<Reply>;
  /**
   * Opens a channel to a target or a terminal on the agent's side, as one of the user's; undefined: of
   * those that are nobody's. Rejects with a `WireError`, and with `CONFLICT` when the user has their share.
   */
  openChannel(to: HostPort | HostOpening, user?: Sharer): Promise<Duplex>;
}

/** A connection of an agent that signed in, from then until its end. */
export interface LiveSession extends SessionHandle, AgentLink {
  /** What the agent's process calls itself; empty when it says nothing. */
  readonly agentSessionId: string;
  /** `SHA256:` fingerprint of the key its host proved to have; undefined for agents without one. */
  readonly hostKey: string | undefined;
  /** Milliseconds since the agent said anything, on the monotonic clock. */
  readonly silentMs: number;
  /** When the agent last said anything, since the epoch; undefined: it has said nothing yet. */
  readonly lastHeardAtMs: number | undefined;
  /** How the connection ended; undefined until then. */
  readonly end: ConnectionEnd | undefined;
  /** False for the Go versions that answer a ping twice. */
  readonly canBePinged: boolean;
  /** Tells the agent something that wants no reply; the payload is sent as JSON. */
  notify(name: string, payload: object): void;
  /**
   * Whether the agent answers, whatever it is, within `timeoutMs`; the connection is closed when it does
   * not. One ping serves all who ask while it is under way. An agent that cannot be asked, because too
   * many requests wait for it, is not taken for dead.
   */
  ping(timeoutMs: number): Promise<boolean>;
  /**
   * Whether anything at all comes from the agent within `ms`; it is pinged, with the time that the pinger
   * gives, so that a busy line, on which an answer waits behind much else, ends nothing.
   */
  isHeardWithin(ms: number): Promise<boolean>;
}
