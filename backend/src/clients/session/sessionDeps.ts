import type { RemoteMessage } from "@rport/protocol/agent";
import type { AuthId } from "@rport/protocol/ids";
import type { LeftOut } from "@rport/protocol/leftOut";
import type { HeldTerminal } from "@rport/protocol/terminal/terminal";
import type { AgentEvents } from "../../audit/agentEvents.ts";
import type { ShownHost } from "../../credentials/admission/doubts.ts";
import type {
  AcceptedLogin,
  Admission,
  RefusedAdmission,
} from "../../credentials/admission/verdicts.ts";
import type { Newcomer } from "../../credentials/admission/waitingRoom.ts";
import type { SessionHandle } from "../../credentials/ports.ts";
import type { Limits } from "../../limits/limits.ts";
import type { Chores } from "../../platform/chores.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import type { DoorCounters } from "../doorCounters.ts";
import type { LiveSession } from "../liveSession.ts";
import type { PairedHosts } from "../pairedHosts.ts";
import type { Refusals } from "../refusals.ts";
import type { LocalPresence } from "../registry/presence.ts";
import type { ClientRegistry } from "../registry/registry.ts";
import type { SilentSessions } from "./silentSessions.ts";

/** What sessions ask of the credentials. */
export interface SessionCredentials {
  /** Undefined when the client may go on; it may have been held for minutes then. */
  join(login: AcceptedLogin, newcomer: Newcomer): Promise<RefusedAdmission | undefined>;
  /** Whether the client may not be the one that is on record under its id. */
  isDoubted(login: AcceptedLogin, host: ShownHost): boolean;
  /** Why the client may not even ask to be let in with what it showed; undefined: it may. */
  whyNot(login: AcceptedLogin, host: ShownHost): RefusedAdmission | undefined;
  admit(login: AcceptedLogin, host: ShownHost): Promise<Admission>;
  onSessionReady(session: SessionHandle): void;
}

/** What an agent asks for: what can be opened here, and what it is in without. */
export interface SortedRemotes {
  readonly wanted: readonly RemoteMessage[];
  readonly leftOut: readonly LeftOut[];
}

/** What sessions ask of the tunnels. */
export interface SessionTunnels {
  /** Which of the tunnels that an agent of this credential asks for can be opened here, and why not. */
  sorted(id: AuthId, remotes: readonly unknown[]): SortedRemotes;
  /**
   * Opens what the agent asked for and what is remembered for it; answers with all of them. Throws
   * an `RportError` when one the agent asked for cannot be opened.
   */
  attach(session: LiveSession, wanted: readonly RemoteMessage[]): Promise<RemoteMessage[]>;
  /** Closes the tunnels over this connection; they stay remembered. */
  detach(session: LiveSession): void;
}

/** What sessions ask of the terminals that people have on hosts. */
export interface SessionTerminals {
  /** The agent is in: it is asked which terminals its host has. */
  arrived(session: LiveSession): void;
  /** The connection has ended; its host may have its terminals still. */
  left(session: LiveSession): void;
  /** The agent says that one has ended; false: no user had such a one there. */
  ended(session: LiveSession, held: HeldTerminal): boolean;
  /** Tells the agent to end all of them, because nobody may have any there. */
  endAll(session: LiveSession): void;
}

/** Who writes down which agents come in, and which are turned away. */
export type SessionEvents = Pick<
  AgentEvents,
  "connected" | "hostKeyChanged" | "credentialChanged" | "refused" | "leftOut" | "tunnelsFull"
>;

/** What every session needs. */
export interface SessionDeps {
  readonly registry: ClientRegistry;
  readonly presence: LocalPresence<LiveSession>;
  readonly credentials: SessionCredentials;
  readonly tunnels: SessionTunnels;
  readonly terminals: SessionTerminals;
  readonly counters: DoorCounters;
  /** `SHA256:` form, as agents pin it. */
  readonly serverFingerprint: string;
  readonly agentEvents: SessionEvents;
  /** Counts who is not let in. */
  readonly refusals: Pick<Refusals, "note">;
  /** Is told how hosts fare that were paired. */
  readonly paired: PairedHosts;
  /** One more was sent away because more come than may. */
  readonly onFlood: () => void;
  /** Those who have not said yet who they are. */
  readonly silent: SilentSessions;
  /** What follows from the ends of sessions: a fleet may leave, or be cut, at once. */
  readonly farewells: Chores;
  readonly limits: Pick<Limits, "max" | "bite" | "isShared">;
  readonly clock: Clock;
  readonly log: Log;
}
