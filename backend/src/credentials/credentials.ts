import { RportError } from "@rport/protocol/errors";
import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import type { Credential, Rotation, RotationState, Secret } from "@rport/protocol/model";
import type { DeletionReport, RotationClient } from "@rport/protocol/report";
import type { RotationEvents } from "../audit/rotationEvents.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { errorText } from "../platform/log.ts";
import { type SteadyTime, steadyTime } from "../platform/steadyTime.ts";
import type { CredentialRecord } from "../store/credentialRecord.ts";
import type { SecretEdit } from "../store/secretEdit.ts";
import { Admissions, toClientSecret } from "./admission/admissions.ts";
import { Authenticator } from "./admission/authenticator.ts";
import { type Flood, Floods } from "./admission/floods.ts";
import { type JoinDesk, JoinGate } from "./admission/joinGate.ts";
import { JoinRate } from "./admission/joinRate.ts";
import type {
  AcceptedLogin,
  Admission,
  ClientSecret,
  LoginResult,
  RefusedAdmission,
} from "./admission/verdicts.ts";
import { type Newcomer, WaitingRoom } from "./admission/waitingRoom.ts";
import { Arrears } from "./ledger/arrears.ts";
import {
  type CredentialChange,
  changeCredential,
  type Purge,
  purgeUnused,
} from "./ledger/changes.ts";
import type { IssuedSecret, NewCredential } from "./ledger/creation.ts";
import { Creation } from "./ledger/creation.ts";
import { isCredentialExpired } from "./ledger/expiry.ts";
import { LastUse } from "./ledger/lastUse.ts";
import type { LedgerStore } from "./ledger/ledger.ts";
import { Ledger } from "./ledger/ledger.ts";
import type { LiveCredential } from "./ledger/liveCredential.ts";
import { mintSecret } from "./ledger/minting.ts";
import { TypedPasswords } from "./ledger/typedPasswords.ts";
import { Upkeep } from "./ledger/upkeep.ts";
import { toCredential, toSecret } from "./ledger/views.ts";
import type {
  CredentialTouch,
  OfferedSecret,
  PairingPort,
  SessionHandle,
  SessionPort,
} from "./ports.ts";
import { noPairings, noSessions } from "./ports.ts";
import type { RemovalOptions } from "./removal/removals.ts";
import { Removals } from "./removal/removals.ts";
import { Revocations } from "./removal/revocations.ts";
import { Offers } from "./rotation/offers.ts";
import { rotationClients, rotationStateOf, toRotation } from "./rotation/progress.ts";
import { secretEditsOf } from "./rotation/rebinding.ts";
import type { StartedRotation } from "./rotation/rotations.ts";
import { Rotations } from "./rotation/rotations.ts";
import { RotationViews } from "./rotation/views.ts";

/** What the credentials are made of. */
export interface CredentialsDeps extends LedgerStore {
  readonly verifierKey: Buffer;
  readonly clock: Clock;
  readonly log: Log;
  readonly touch: CredentialTouch;
  /** Fewest characters of a typed password. */
  readonly passwordMinLength: number;
  /** Called once for each flood of new clients; see `Floods`. */
  readonly onFlood?: (flood: Flood) => void;
  /** Writes down rotations that end by themselves; absent in tests of credentials alone. */
  readonly rotationEvents?: RotationEvents;
}

/** Credentials and their secrets: who may sign in, with what, as whom, and until when. */
export class Credentials {
  readonly #deps: CredentialsDeps;
  readonly #steady: SteadyTime;
  readonly #ledger: Ledger;
  readonly #authenticator: Authenticator;
  readonly #admissions: Admissions;
  readonly #waitingRoom: WaitingRoom;
  readonly #floods: Floods;
  readonly #gate: JoinGate;
  readonly #creation: Creation;
  readonly #offers: Offers;
  readonly #rotations: Rotations;
  readonly #rotationViews: RotationViews;
  readonly #removals: Removals;
  readonly #revocations: Revocations;
  readonly #lastUse: LastUse;
  readonly #upkeep: Upkeep;
  readonly #arrears: Arrears;
  #sessions: SessionPort = noSessions;
  #pairings: PairingPort = noPairings;

  private constructor(deps: CredentialsDeps, ledger: Ledger) {
    const typed = new TypedPasswords();
    const ports = { sessions: () => this.#sessions, pairings: () => this.#pairings };
    const steady = steadyTime(deps.clock);
    const arrears = new Arrears(deps);
    const all = { ...deps, ...ports, ledger, typed, steady, arrears };
    this.#deps = deps;
    this.#steady = steady;
    this.#arrears = arrears;
    this.#ledger = ledger;
    this.#authenticator = new Authenticator(all);
    this.#admissions = new Admissions({ ...all, authenticator: this.#authenticator });
    this.#waitingRoom = new WaitingRoom(deps);
    this.#floods = new Floods({ ...deps, onFlood: (flood) => deps.onFlood?.(flood) });
    this.#gate = new JoinGate({
      ...all,
      admissions: this.#admissions,
      waitingRoom: this.#waitingRoom,
      floods: this.#floods,
      rate: new JoinRate(deps.clock),
    });
    ledger.watch((id) => this.#gate.recheck(id));
    this.#creation = new Creation(all);
    this.#offers = new Offers(all);
    this.#rotations = new Rotations({ ...all, offers: this.#offers });
    this.#rotationViews = new RotationViews(all);
    this.#removals = new Removals(all);
    this.#revocations = new Revocations({ ...all, onTaken: (id) => this.onClientsChanged(id) });
    this.#lastUse = new LastUse({ ...all, rows: deps.secretRows });
    this.#upkeep = new Upkeep(all);
  }

  /** Reads everything into memory and finishes deletions that a crash interrupted. */
  static async open(deps: CredentialsDeps): Promise<Credentials> {
    return new Credentials(deps, await Ledger.open(deps));
  }

  /**
   * Connects the two sides that are built later, once their records are there; rotations that
   * were under way go on from here.
   */
  attach(ports: { readonly sessions: SessionPort; readonly pairings: PairingPort }): void {
    this.#sessions = ports.sessions;
    this.#pairings = ports.pairings;
    this.#rotations.resume();
    this.#upkeep.start();
  }

  /** Checks a login in memory: no disk, the same time for any number of credentials. */
  login(authId: string, password: string, address: string): Promise<LoginResult> {
    return this.#authenticator.login({ authId, password, address });
  }

  /** Whether a client may join that the credential does not know yet; see `JoinGate.pass`. */
  join(login: AcceptedLogin, newcomer: Newcomer): Promise<RefusedAdmission | undefined> {
    return this.#gate.pass(login, newcomer);
  }

  /** First joins that wait for a person. */
  get joins(): JoinDesk {
    return this.#gate;
  }

  /**
   * Whether the agent behind a login may be this client. Binds single-use secrets durably. Fails
   * with `DISK_FULL` when that cannot be written.
   */
  async admit(login: AcceptedLogin, clientId: ClientId): Promise<Admission> {
    const admission = await this.#admissions.admit(login, clientId);
    if (admission.kind === "admitted") this.#used(login);
    return admission;
  }

  /** Makes a credential; the answer is the only one that contains its password. */
  async create(input: NewCredential): Promise<IssuedSecret> {
    const issued = await this.#creation.create(input);
    this.#deps.touch("credential", issued.id);
    return issued;
  }

  /** Adds a generated or typed secret that any client may use. */
  async addSecret(
    id: AuthId,
    input: { readonly password?: string | undefined } = {},
  ): Promise<IssuedSecret> {
    const issued = await this.#creation.addSecret(this.#ledger.need(id), input.password);
    this.#deps.touch("credential", id);
    return issued;
  }

  /** The records, by id. */
  list(): CredentialRecord[] {
    return this.#ledger.all().map((live) => live.record);
  }

  /** A credential as people see it; null when there is none. */
  view(id: AuthId): Credential | null {
    const live = this.#ledger.get(id);
    return live === undefined
      ? null
      : toCredential(live, {
          sessions: this.#sessions,
          nowMs: this.#steady(),
          rotation: this.#rotationViews.of(live),
          floodedAt: this.#floods.since(id) ?? null,
        });
  }

  /** The secrets of a credential, oldest first; empty when there is none. */
  secrets(id: AuthId): Secret[] {
    const rows = this.#ledger.get(id)?.secrets() ?? [];
    return rows.sort((one, other) => one.seq - other.seq).map(toSecret);
  }

  /** The state of a secret for a client's record; null when the secret is gone. */
  clientSecret(id: AuthId, secretId: SecretId): ClientSecret | null {
    const row = this.#ledger.get(id)?.secret(secretId);
    return row === undefined ? null : toClientSecret(row);
  }

  /** Makes secrets that bind to their first client, if it comes before `expiresAt` (epoch ms). */
  async mintForPairing(id: AuthId, count: number, expiresAt: number): Promise<OfferedSecret[]> {
    const live = this.#ledger.need(id);
    const nowMs = this.#deps.clock.now();
    if (isCredentialExpired(live, nowMs)) {
      throw new RportError("CONFLICT", `The credential "${id}" has expired.`);
    }
    const unboundUntil = this.#steady() + expiresAt - nowMs;
    const purpose = { origin: "pairing" as const, nowMs, unboundUntil };
    const minted = Array.from({ length: count }, () =>
      mintSecret(live, this.#deps.verifierKey, purpose),
    );
    await this.#ledger.edit(
      live,
      minted.map(({ row }) => ({ kind: "add", row })),
    );
    this.#deps.touch("credential", id);
    return minted.map(({ secretId, secret }) => ({ secretId, secret }));
  }

  /**
   * Fails unless each of these secrets still opens the credential: with
   * `ERR_CODE_CLIENT_AUTH_NOT_FOUND`, or with `CONFLICT`.
   */
  requireUsable(id: AuthId, ids: readonly SecretId[]): void {
    const live = this.#ledger.need(id);
    const rows = ids.map((secretId) => live.secret(secretId));
    if (rows.every((row) => row && this.#authenticator.whyRefused(live, row) === undefined)) return;
    throw new RportError("CONFLICT", "Its secrets were revoked meanwhile: try again.");
  }

  /** Ends secrets and the sessions that stand on them; ids that are gone are skipped. */
  revokeSecrets(ids: readonly SecretId[]): Promise<void> {
    return this.#revocations.secrets(ids);
  }

  /** Ends one secret; see `Revocations.secret`. */
  revokeSecret(id: AuthId, secretId: SecretId, dryRun: boolean): Promise<DeletionReport> {
    return this.#revocations.secret(this.#ledger.need(id), secretId, dryRun);
  }

  /** Lets a host in no more; see `Revocations.client`. */
  async revokeClient(id: ClientId, dryRun: boolean): Promise<DeletionReport> {
    const report = await this.#revocations.client(id, dryRun);
    if (!dryRun) this.#waitingRoom.drop((join) => join.client_id === id);
    return report;
  }

  /** Lets a host in again that was revoked, if it has a secret. */
  allowClient(id: ClientId): Promise<void> {
    return this.#revocations.allow(id);
  }

  /**
   * The host `from` is the client `to` now: its secrets go with it. `write` puts the edits on disk,
   * together with whatever else makes up the move; they take effect when it resolves.
   */
  async moveSecrets(
    { from, to }: { readonly from: ClientId; readonly to: ClientId },
    write: (edits: readonly SecretEdit[]) => Promise<void>,
  ): Promise<void> {
    const move = { from, to, nowMs: this.#deps.clock.now() };
    const plans = this.#ledger.all().map((live) => ({ live, edits: secretEditsOf(live, move) }));
    await write(plans.flatMap(({ edits }) => edits));
    for (const { live, edits } of plans) {
      for (const edit of edits) live.apply(edit);
      if (edits.length > 0) this.#deps.touch("credential", live.id);
    }
    for (const session of this.#sessions.sessionsOf(to)) void this.#offers.move(session);
  }

  /** Changes label, kind or limits; see `changeCredential`. */
  async update(id: AuthId, change: CredentialChange): Promise<void> {
    await changeCredential(this.#ledger.need(id), change, { ledger: this.#ledger });
    this.#deps.touch("credential", id);
  }

  /** Removes credentials that nobody uses; see `purgeUnused`. */
  purgeUnused(dryRun: boolean): Promise<Purge> {
    return purgeUnused(dryRun, {
      ledger: this.#ledger,
      steady: this.#steady,
      log: this.#deps.log,
      sessions: () => this.#sessions,
      pairings: () => this.#pairings,
      remove: (id, options) => this.remove(id, options),
    });
  }

  /** Replaces the secrets under running agents; see `Rotations`. `graceMs` null: until all moved. */
  rotate(id: AuthId, graceMs: number | null, dryRun = false): Promise<StartedRotation> {
    return this.#rotations.start(this.#ledger.need(id), graceMs, dryRun);
  }

  /** Where each client stands in the rotation that is under way. */
  rotation(id: AuthId): { readonly rotation: Rotation | null; readonly clients: RotationClient[] } {
    const live = this.#ledger.need(id);
    const clients = this.#sessions.clientsOf(id);
    // Whoever came in with another credential meanwhile is waited for, and has its name elsewhere.
    const named = rotationClients(live, clients).map((client) => ({
      ...client,
      name: client.name || (this.#sessions.clientOf(client.id)?.name ?? ""),
    }));
    return { rotation: toRotation(live, clients), clients: named };
  }

  /** How far a client is in the rotation that is under way; null: there is none, or it has moved. */
  rotationState(id: AuthId, clientId: ClientId): RotationState | null {
    const live = this.#ledger.get(id);
    const client = this.#sessions.clientOf(clientId);
    return live === undefined || client === undefined ? null : rotationStateOf(live, client);
  }

  /** Ends the grace of a rotation now; see `Rotations.finish`. */
  finishRotation(id: AuthId, dryRun: boolean): Promise<DeletionReport> {
    return this.#rotations.finish(this.#ledger.need(id), dryRun);
  }

  /** Takes a rotation back; see `Rotations.abandon`. */
  cancelRotation(id: AuthId): Promise<void> {
    return this.#rotations.abandon(this.#ledger.need(id));
  }

  /** To be called when a session is registered and may be asked: moves it if that is due. */
  onSessionReady(session: SessionHandle): void {
    void this.#offers.move(session).then(() => this.onClientsChanged(session.credentialId));
  }

  /** To be called when a client that was admitted has its record. */
  onClientRecorded(authId: AuthId, id: ClientId): void {
    this.#waitingRoom.known(authId, id);
    this.#admissions.recorded(authId, id);
  }

  /**
   * To be called when a client's record was removed: no rotation waits for it any more. One that
   * only came in with another credential may come back, and is waited for.
   */
  onRecordRemoved(id: AuthId, client: ClientId): void {
    const waiting = this.#ledger.all().filter((live) => live.moveOf(client) !== undefined);
    for (const live of waiting) void this.#forgetMove(live, client);
    if (!waiting.some((live) => live.id === id)) this.onClientsChanged(id);
  }

  /** To be called when records of a credential went away: a rotation may have waited for them. */
  onClientsChanged(id: AuthId): void {
    const live = this.#ledger.get(id);
    if (live !== undefined) void this.#rotations.check(live);
    this.#deps.touch("credential", id);
  }

  /** Removes a credential; see `Removals.remove`. */
  async remove(id: AuthId, options: RemovalOptions): Promise<DeletionReport> {
    const report = await this.#removals.remove(id, options);
    if (!options.dryRun) this.#rotations.cancel(id);
    return report;
  }

  /** Stops timers and writes what is still to be written. The store stays open. */
  async close(): Promise<void> {
    this.#waitingRoom.drop(() => true);
    this.#floods.close();
    this.#upkeep.stop();
    this.#rotations.stop();
    this.#rotationViews.close();
    await this.#arrears.close();
    await this.#lastUse.flush();
  }

  async #forgetMove(live: LiveCredential, client: ClientId): Promise<void> {
    try {
      await this.#ledger.edit(live, [{ kind: "clearMoves", credential: live.id, client }]);
    } catch (caught) {
      const reason = errorText(caught);
      this.#deps.log.warn("a rotation still waits for a client that is gone", { reason });
    }
    this.onClientsChanged(live.id);
  }

  #used(login: AcceptedLogin): void {
    const { clock, touch } = this.#deps;
    const live = this.#ledger.get(login.credentialId);
    live?.apply({ kind: "used", id: login.secretId, atMs: clock.now() });
    this.#lastUse.note(login.secretId);
    touch("credential", login.credentialId);
  }
}
