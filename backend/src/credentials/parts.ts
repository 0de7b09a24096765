import type { KeyObject } from "node:crypto";
import type { RotationEvents } from "../audit/rotationEvents.ts";
import type { Limits } from "../limits/limits.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import {
  type ShownTimes,
  type SteadyTime,
  shownTimes,
  steadyTime,
} from "../platform/steadyTime.ts";
import type { EditStore } from "../store/edits/editStore.ts";
import { AdmissionFollower } from "./admission/admissionFollower.ts";
import { Admissions } from "./admission/admissions.ts";
import { Authenticator } from "./admission/authenticator.ts";
import { Doubts } from "./admission/doubts.ts";
import { type Flood, Floods } from "./admission/floods.ts";
import { JoinAlarm } from "./admission/joinAlarm.ts";
import { JoinGate } from "./admission/joinGate.ts";
import { JoinRate } from "./admission/joinRate.ts";
import { WaitingRoom } from "./admission/waitingRoom.ts";
import { Arrears } from "./ledger/arrears.ts";
import { Creation } from "./ledger/creation.ts";
import { LastUse } from "./ledger/lastUse.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { TypedPasswords } from "./ledger/typedPasswords.ts";
import { Upkeep } from "./ledger/upkeep.ts";
import type { ClientPort, CredentialTouch, PairingPort, SessionPort } from "./ports.ts";
import { Purge } from "./removal/purge.ts";
import { Removals } from "./removal/removals.ts";
import { Revocations } from "./removal/revocations.ts";
import { Ending } from "./rotation/ending.ts";
import { Offers } from "./rotation/offers.ts";
import { RotationFollower } from "./rotation/rotationFollower.ts";
import { Rotations } from "./rotation/rotations.ts";
import { Standings } from "./rotation/standings.ts";
import { RotationTimers } from "./rotation/timers.ts";
import { RotationViews } from "./rotation/views.ts";

/** What the credentials are made of. */
export interface CredentialsDeps {
  readonly store: EditStore;
  readonly clients: ClientPort;
  readonly sessions: SessionPort;
  readonly pairings: PairingPort;
  readonly verifierKey: KeyObject;
  readonly clock: Clock;
  readonly log: Log;
  readonly touch: CredentialTouch;
  /** Fewest characters of a typed password. */
  readonly passwordMinLength: number;
  /** Called once for each flood of new clients; see `Floods`. */
  readonly onFlood: (flood: Flood) => void;
  readonly limits: Pick<Limits, "max" | "bite" | "watch">;
  /** Writes down rotations that end by themselves. */
  readonly rotationEvents: RotationEvents;
}

/** The parts of the credentials, by the folder they are in. */
export interface CredentialParts extends LedgerParts, AdmissionParts, RotationParts, RemovalParts {}

interface LedgerParts {
  readonly steady: SteadyTime;
  readonly times: ShownTimes;
  readonly arrears: Arrears;
  readonly typed: TypedPasswords;
  readonly creation: Creation;
  readonly lastUse: LastUse;
  readonly upkeep: Upkeep;
}

interface AdmissionParts {
  readonly authenticator: Authenticator;
  readonly admissions: Admissions;
  readonly doubts: Doubts;
  readonly waitingRoom: WaitingRoom;
  readonly floods: Floods;
  /** Credentials with which many new clients came, none of whom was one too many. */
  readonly crowds: Floods;
  readonly gate: JoinGate;
}

interface RotationParts {
  readonly offers: Offers;
  readonly rotations: Rotations;
  readonly rotationViews: RotationViews;
}

interface RemovalParts {
  readonly removals: Removals;
  readonly revocations: Revocations;
  readonly purge: Purge;
}

/** Makes the parts, from the ground up, and lets them follow the store. */
export function makeParts(deps: CredentialsDeps, ledger: Ledger): CredentialParts {
  const ledgerParts = makeLedgerParts(deps, ledger);
  return {
    ...ledgerParts,
    ...makeAdmissionParts(deps, ledger, ledgerParts),
    ...makeRemovalParts(deps, ledger, ledgerParts),
    ...makeRotationParts(deps, ledger, ledgerParts),
  };
}

function makeLedgerParts(deps: CredentialsDeps, ledger: Ledger): LedgerParts {
  const { store, verifierKey, passwordMinLength, limits, clock, log } = deps;
  const typed = new TypedPasswords(limits);
  const steady = steadyTime(clock);
  return {
    steady,
    times: shownTimes(clock, steady),
    typed,
    arrears: new Arrears({ clock, log }),
    creation: new Creation({ ledger, store, typed, verifierKey, clock, passwordMinLength }),
    lastUse: new LastUse({ store, clock, log }),
    upkeep: new Upkeep({ ledger, store, clock, steady, log }),
  };
}

function makeAdmissionParts(
  { store, clients, verifierKey, clock, log, touch, onFlood, limits }: CredentialsDeps,
  ledger: Ledger,
  { typed, steady }: LedgerParts,
): AdmissionParts {
  const authenticator = new Authenticator({ ledger, typed, verifierKey, clock, steady });
  const waitingRoom = new WaitingRoom({ clock, touch });
  const doubts = new Doubts({ clients, waitingRoom });
  const admissions = new Admissions({ ledger, store, authenticator, clients, doubts, clock, log });
  const floods = new Floods({ clock, touch, onFlood });
  const crowds = new Floods({ clock, touch, onFlood });
  const alarm = new JoinAlarm({ clock, limits, crowds });
  const rate = new JoinRate(clock);
  const limited = { floods, crowds, rate, alarm };
  const gate = new JoinGate({ ledger, admissions, clients, doubts, waitingRoom, ...limited });
  const follower = new AdmissionFollower({ gate, waitingRoom, admissions });
  store.follow((edits) => follower.follow(edits));
  return { authenticator, admissions, doubts, waitingRoom, floods, crowds, gate };
}

function makeRemovalParts(
  { store, clients, sessions, pairings, clock, log }: CredentialsDeps,
  ledger: Ledger,
  { arrears, steady }: LedgerParts,
): RemovalParts {
  const removals = new Removals({ ledger, store, arrears, clients, sessions, pairings, clock });
  const revocations = new Revocations({
    ledger,
    store,
    arrears,
    clients,
    sessions,
    pairings,
    clock,
  });
  const purge = new Purge({ ledger, removals, clients, sessions, pairings, steady, log });
  return { removals, revocations, purge };
}

function makeRotationParts(
  deps: CredentialsDeps,
  ledger: Ledger,
  { arrears, steady, times }: LedgerParts,
): RotationParts {
  const { store, clients, sessions, pairings, verifierKey, clock, log, touch } = deps;
  const timers = new RotationTimers(clock);
  const offers = new Offers({ ledger, store, clients, sessions, verifierKey, clock, log });
  const ending = new Ending({
    ledger,
    store,
    arrears,
    timers,
    clients,
    sessions,
    pairings,
    clock,
    log,
    rotationEvents: deps.rotationEvents,
  });
  const rotations = new Rotations({
    ledger,
    store,
    offers,
    ending,
    timers,
    standings: new Standings({ clients, clock }),
    clients,
    sessions,
    pairings,
    clock,
    steady,
    times,
  });
  const follower = new RotationFollower({ ledger, store, clients, rotations, timers, log });
  store.follow((edits) => follower.follow(edits));
  return { offers, rotations, rotationViews: new RotationViews({ clock, touch, clients, times }) };
}
