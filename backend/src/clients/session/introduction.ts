import { FEATURES, REQUESTS, type RemoteMessage } from "@rport/protocol/agent";
import { RportError } from "@rport/protocol/errors";
import type { LeftOut } from "@rport/protocol/leftOut";
import type { RefusalReason } from "@rport/protocol/refusal";
import { guarded } from "@rport/protocol/wire/contain";
import { RequestRefused } from "@rport/protocol/wire/wireError";
import { noRoom } from "../../credentials/admission/denials.ts";
import type { ShownHost } from "../../credentials/admission/doubts.ts";
import type { AcceptedLogin } from "../../credentials/admission/verdicts.ts";
import { endingFault } from "../../platform/faults.ts";
import { errorText } from "../../platform/log.ts";
import type { HostStep } from "../pairedHosts.ts";
import type { Claimant } from "../registry/duplicates.ts";
import { clean, recordOf } from "../registry/inventory.ts";
import { isUnexpected, type RecordChange } from "../registry/recordChange.ts";
import { factsOf, namesOf } from "./agentFacts.ts";
import type { ArrivingSession } from "./arrivingSession.ts";
import { CAPABILITIES } from "./capabilities.ts";
import { type FirstRequest, type Identity, parseFirstRequest } from "./firstRequest.ts";
import { provenHostKey } from "./hostKeyCheck.ts";
import { newcomerOf } from "./newcomer.ts";
import { Refused, refusing } from "./refused.ts";
import type { SessionDeps } from "./sessionDeps.ts";
import type { Silence } from "./silentSessions.ts";
import { requireNoRival, takeOver } from "./takeOver.ts";
import { writeDownRefusal } from "./writtenRefusal.ts";

/** A refused agent gets this long to read why. */
const FAREWELL_MS = 250;
/** Whose arrival it is. */
export interface Arrival {
  readonly session: ArrivingSession;
  readonly login: AcceptedLogin;
}

/**
 * The arrival of an agent that signed in: from its first request to the moment its client is in.
 * The steps stand in `#letIn`, in their order; whichever refuses the agent, it is told why, and its
 * connection ends.
 */
export class Introduction {
  readonly #session: ArrivingSession;
  readonly #login: AcceptedLogin;
  readonly #deps: SessionDeps;
  #silence: Silence | undefined;
  #identity: Identity | undefined;
  /** What the host calls itself, as it came. */
  #hostname: string | undefined;
  #hostKey: string | undefined;
  #isOver = false;
  /** What it was told when it was turned away; thousands more it asks are not looked at. */
  #refusal: string | undefined;

  constructor({ session, login }: Arrival, deps: SessionDeps) {
    this.#session = session;
    this.#login = login;
    this.#deps = deps;
    this.#silence = deps.silent.enter(session, (text) => {
      deps.counters.afterLogin += 1;
      session.cut(text);
    });
  }

  /** Who the agent says it is; undefined until it has said so in a request that is well-formed. */
  get identity(): Identity | undefined {
    return this.#identity;
  }

  /** Whether the agent is in: what it says by itself is heard from then on. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** `SHA256:` fingerprint of the key its host has proven to have. */
  get hostKey(): string | undefined {
    return this.#hostKey;
  }

  /** Answers the first request, with the tunnels that are open then. Throws `RequestRefused`. */
  async answer(name: string, payload: Buffer): Promise<RemoteMessage[]> {
    if (this.#refusal !== undefined) throw new RequestRefused(this.#refusal);
    try {
      const tunnels = await this.#letIn(name, payload);
      this.#isOver = true;
      this.#session.allowMessages();
      // The answer goes out in this turn of the event loop, the capabilities in the next.
      const onFault = endingFault(this.#deps.log, "an agent's session", () =>
        this.#session.cut("internal error"),
      );
      setImmediate(guarded(onFault, () => this.#welcome()));
      return tunnels;
    } catch (caught) {
      const refused = Refused.because(caught, "busy");
      this.#refusal = refused.text;
      this.#turnAway(refused);
      throw new RequestRefused(refused.text);
    }
  }

  /** Waits for no introduction any more: it has come, or the connection has ended. */
  stop(): void {
    if (this.#silence !== undefined) this.#deps.silent.leave(this.#silence);
    this.#silence = undefined;
  }

  /**
   * The steps. The word is for what a step did not foresee itself; where none is given, that means
   * `busy`, as `answer` has it.
   */
  async #letIn(name: string, payload: Buffer): Promise<RemoteMessage[]> {
    const first = await refusing("protocol", () => this.#read(name, payload));
    await refusing("duplicate", () => this.#standBack(first));
    await refusing("protocol", () => this.#join(first));
    await refusing("protocol", () => this.#proveHostKey(first));
    await refusing("duplicate", () => this.#takeOver(first));
    await this.#admit(first);
    const { wanted, leftOut } = this.#deps.tunnels.sorted(
      this.#session.credentialId,
      first.request.Remotes,
    );
    const change = this.#connect(first, leftOut);
    await this.#report(change);
    const tunnels = await this.#openTunnels(wanted);
    await this.#remember(first, change);
    this.#tellOf(leftOut);
    return tunnels;
  }

  #read(name: string, payload: Buffer): FirstRequest {
    if (name !== REQUESTS.newConnection) {
      throw new Refused("protocol", "a connection request was expected");
    }
    const first = parseFirstRequest(payload);
    this.stop();
    this.#identity = first.identity;
    this.#hostname = first.request.Hostname;
    return first;
  }

  /** Whoever may be somebody else does not even wait while the client itself is connected. */
  #standBack(first: FirstRequest): void {
    const { credentials } = this.#deps;
    const host = this.#host(first);
    if (!credentials.isDoubted(this.#login, host)) return;
    const refusal = credentials.whyNot(this.#login, host);
    if (refusal !== undefined) throw Refused.denied(refusal);
    requireNoRival(this.#deps, this.#claimant(first));
  }

  /** Before anything is done for the client: who is refused here, or waits, keeps nobody out. */
  async #join(first: FirstRequest): Promise<void> {
    const { clock, credentials, log } = this.#deps;
    const session = this.#session;
    const onHeld = () => {
      log.info("agent waits for approval", namesOf(session));
      this.#tellPairing({ kind: "waiting" });
    };
    const newcomer = newcomerOf(first, { session, clock, onHeld });
    const refusal = await credentials.join(this.#login, newcomer).finally(() => newcomer.end());
    if (refusal !== undefined) throw Refused.denied(refusal);
    this.#requireOpen("protocol");
  }

  async #proveHostKey({ request, hostKey: key }: FirstRequest): Promise<void> {
    const { serverFingerprint, clock } = this.#deps;
    this.#hostKey = await provenHostKey({
      clientId: request.ID,
      key,
      serverFingerprint,
      clock,
      ask: (name, payload) => this.#session.ask(name, payload),
    });
  }

  async #takeOver(first: FirstRequest): Promise<void> {
    await takeOver(this.#deps, this.#claimant(first));
  }

  async #admit(first: FirstRequest): Promise<void> {
    const admission = await this.#deps.credentials.admit(this.#login, this.#host(first));
    if (admission.kind === "refused") throw Refused.denied(admission);
    this.#session.admitted(admission.secret.id);
  }

  #connect({ identity: { id }, request }: FirstRequest, leftOut: readonly LeftOut[]): RecordChange {
    this.#requireOpen("busy");
    const { registry, clock } = this.#deps;
    const session = this.#session;
    const { credentialId, secretId, address, features, hostKey } = session;
    const nowMs = clock.now();
    const who = { id, credentialId, secretId, address, features, hostKey, nowMs, leftOut };
    const record = recordOf(request, who, [...registry.tunnelsOf(id)]);
    if (record === undefined) throw new Refused("busy", "the client's description is too large");
    const kept = registry.room.fit(record, registry.record(id));
    if (typeof kept === "string") throw Refused.denied(noRoom(kept));
    session.halfClose = features.includes(FEATURES.halfClose);
    return registry.connect(kept, session);
  }

  /** What nobody may do unseen; resolves when it is in the audit log. */
  async #report({ hostKey, formerCredential: former }: RecordChange): Promise<void> {
    const { log, agentEvents, registry } = this.#deps;
    const session = this.#session;
    if (hostKey !== undefined) {
      log.warn("a client's host key is not the one it had", namesOf(session));
      await agentEvents.hostKeyChanged(factsOf(session, registry), hostKey);
    }
    if (former === undefined) return;
    log.warn("a client came with another credential", { ...namesOf(session), former });
    await agentEvents.credentialChanged(factsOf(session, registry), former);
  }

  async #openTunnels(wanted: readonly RemoteMessage[]): Promise<RemoteMessage[]> {
    try {
      return await this.#deps.tunnels.attach(this.#session, wanted);
    } catch (caught) {
      const isOurs = !(caught instanceof RportError) || caught.code === "DISK_FULL";
      throw Refused.because(caught, isOurs ? "busy" : "tunnel");
    }
  }

  /** The agent itself is not told: RPort's own would not come in with less than it asked for. */
  #tellOf(leftOut: readonly LeftOut[]): void {
    if (leftOut.length === 0) return;
    const { log, agentEvents, registry } = this.#deps;
    const session = this.#session;
    const tunnels = leftOut.map(({ remote, reason }) => clean(`${remote}: ${reason}`));
    log.warn("a client is in without some of its tunnels", {
      ...namesOf(session),
      tunnels: tunnels.join(", "),
    });
    agentEvents.leftOut(factsOf(session, registry), tunnels);
  }

  /**
   * A rotation waits for the clients that are on record: one that was told it is in must be among
   * them after a crash, too. A full disk keeps nobody out; the record is written when there is
   * room.
   */
  async #remember({ identity: { id } }: FirstRequest, change: RecordChange): Promise<void> {
    const { registry, log } = this.#deps;
    if (isUnexpected(change)) {
      await registry.save(id).catch((caught: unknown) => {
        const reason = errorText(caught);
        log.warn("a new client's record is not on disk yet", { client: id, reason });
      });
    }
    this.#requireOpen("busy");
  }

  #claimant({ identity: { id }, request }: FirstRequest): Claimant {
    const session = this.#session;
    const { address } = session;
    return { id, session, address, hostname: clean(request.Hostname) };
  }

  #host({ identity, hostKey }: FirstRequest): ShownHost {
    const { address } = this.#session;
    return { clientId: identity.id, hostKey: hostKey?.fingerprint ?? "", address };
  }

  #requireOpen(why: RefusalReason): void {
    if (this.#session.isClosed) throw new Refused(why, "the connection has ended");
  }

  #welcome(): void {
    const { log, agentEvents, credentials, terminals, registry } = this.#deps;
    const session = this.#session;
    if (session.isClosed) return;
    session.notify(REQUESTS.putCapabilities, CAPABILITIES);
    log.info("agent connected", namesOf(session));
    this.#tellPairing({ kind: "connected" });
    agentEvents.connected(factsOf(session, registry));
    credentials.onSessionReady(session);
    terminals.arrived(session);
  }

  #turnAway(refused: Refused): void {
    const { counters, clock, log } = this.#deps;
    const session = this.#session;
    counters.afterLogin += 1;
    if (refused.cause !== undefined) {
      log.error("an agent could not register", { reason: errorText(refused.cause) });
    }
    clock.after(FAREWELL_MS, () => session.cut(refused.text));
    try {
      this.#tellPairing({ kind: "refused", reason: refused.why, text: refused.text });
      writeDownRefusal(refused, { session, hostname: this.#hostname }, this.#deps);
    } finally {
      session.letGo();
    }
  }

  #tellPairing(step: Pick<HostStep, "kind" | "reason" | "text">): void {
    const { address, secretId } = this.#session;
    const clientId = this.#identity?.id ?? "";
    const hostname = this.#hostname ?? "";
    this.#deps.paired.onHost(secretId, { ...step, clientId, hostname, address });
  }
}
