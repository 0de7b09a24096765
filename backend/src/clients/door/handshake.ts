import type { OnFault } from "@rport/protocol/wire/contain";
import type { HeldBytes } from "@rport/protocol/wire/held";
import type { ServerKey } from "@rport/protocol/wire/serverKey";
import {
  serverTransport,
  type Transport,
  type TransportLimits,
} from "@rport/protocol/wire/transport";
import type { Turns } from "@rport/protocol/wire/turns";
import { WireError, type WireErrorKind } from "@rport/protocol/wire/wireError";
import type { WebSocket } from "ws";
import type { AcceptedLogin } from "../../credentials/admission/verdicts.ts";
import type { Clock } from "../../platform/clock.ts";
import { networkOf } from "../../platform/network.ts";
import type { DoorCounters } from "../doorCounters.ts";
import type { Refusals } from "../refusals.ts";
import type { HandshakePace } from "./handshakePace.ts";
import type { LoginGate, LoginOrigin } from "./loginGate.ts";
import type { Penalties } from "./penalties.ts";
import type { PendingSocket } from "./pendingSockets.ts";

/** Ends that a peer brings about which does not speak our protocol. */
const RUDE: ReadonlySet<WireErrorKind> = new Set(["protocol", "limit", "size"]);

/** A socket that was upgraded, and where it stands. */
export interface Caller {
  readonly ws: WebSocket;
  readonly from: LoginOrigin;
  readonly place: PendingSocket;
  /** Ends it; told what callbacks of ours threw. */
  readonly onFault: OnFault;
}

/** What handshakes need; all of a door share it. */
export interface HandshakeDeps {
  readonly serverKey: ServerKey;
  readonly gate: LoginGate;
  readonly pace: HandshakePace;
  readonly penalties: Penalties;
  readonly counters: DoorCounters;
  readonly refusals: Pick<Refusals, "note">;
  readonly clock: Clock;
  /** What is held for all agents. */
  readonly held: HeldBytes;
  /** Shares the time for agents that have signed in. */
  readonly turns: Turns;
  readonly transportLimits: Partial<TransportLimits>;
}

/** One socket from its upgrade to its login: the key exchange, the passwords it tries, its end. */
export class Handshake {
  readonly transport: Transport;
  readonly #caller: Caller;
  readonly #deps: HandshakeDeps;
  #accepted: AcceptedLogin | undefined;
  /** Something was tried; what came of it is counted already. */
  #hasTried = false;

  constructor(caller: Caller, deps: HandshakeDeps) {
    this.#caller = caller;
    this.#deps = deps;
    const { ws, place, onFault } = caller;
    this.transport = serverTransport(ws, {
      serverKey: deps.serverKey,
      clock: deps.clock,
      limits: deps.transportLimits,
      held: deps.held,
      turns: deps.turns,
      pace: (work) => deps.pace.runFor(place, work),
      onKeys: () => place.passKeys(),
      onFault,
      login: { check: (user, password) => this.#check(user, password) },
    });
    place.onEvicted = () => this.#evict();
  }

  /** Resolves with who signed in, or with undefined when the connection has ended before. */
  async login(): Promise<AcceptedLogin | undefined> {
    try {
      await this.transport.ready;
      return this.#accepted;
    } catch (caught) {
      this.#ended(caught instanceof WireError ? caught.kind : "local");
      return undefined;
    } finally {
      this.#caller.place.release();
    }
  }

  async #check(user: string, password: string): Promise<boolean> {
    const { from, place } = this.#caller;
    this.#hasTried = true;
    place.beginTurn();
    try {
      const verdict = await this.#deps.gate.check(from, user, password);
      if (verdict.kind !== "accepted") return false;
      this.#accepted = verdict.login;
      this.transport.held.join(verdict.login.credentialId);
      return true;
    } finally {
      place.endTurn(this.#deps.clock.monotonic());
    }
  }

  #evict(): void {
    const { ws, from } = this.#caller;
    this.#deps.refusals.note({ why: "busy", address: from.address });
    this.transport.close("others need the place");
    // Without waiting for its answer: it has been silent all the time.
    ws.terminate();
  }

  #ended(kind: WireErrorKind): void {
    const { penalties, counters, refusals } = this.#deps;
    const { from, place } = this.#caller;
    const { address, isShared } = from;
    const network = networkOf(address);
    if (RUDE.has(kind) && !isShared) penalties.garbage(network);
    if (kind === "timeout" && !place.isWaiting && !isShared) penalties.silence(network);
    if (this.#hasTried) return;
    counters.beforeLogin += 1;
    if (RUDE.has(kind)) refusals.note({ why: "protocol", address });
  }
}
