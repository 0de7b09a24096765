import { RportError } from "@rport/protocol/errors";
import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import type { Credential, RotationState, Secret } from "@rport/protocol/model";
import { loggedFault } from "../platform/faults.ts";
import type { SecretEdit } from "../store/edits/secretEdit.ts";
import { toClientSecret } from "./admission/admissions.ts";
import type { ShownHost } from "./admission/doubts.ts";
import type { JoinDesk } from "./admission/joinGate.ts";
import type {
  AcceptedLogin,
  Admission,
  ClientSecret,
  LoginResult,
  RefusedAdmission,
} from "./admission/verdicts.ts";
import type { Newcomer } from "./admission/waitingRoom.ts";
import { type CredentialChange, changeCredential } from "./ledger/changes.ts";
import type { IssuedSecret, NewCredential, SecretInput } from "./ledger/creation.ts";
import { isCredentialExpired } from "./ledger/expiry.ts";
import { Ledger } from "./ledger/ledger.ts";
import type { LedgerEntry } from "./ledger/ledgerEntry.ts";
import { mintSecret } from "./ledger/minting.ts";
import { toCredential, toSecret } from "./ledger/views.ts";
import { type CredentialParts, type CredentialsDeps, makeParts } from "./parts.ts";
import type { OfferedSecret, SessionHandle } from "./ports.ts";
import type { Purge } from "./removal/purge.ts";
import type { Removals } from "./removal/removals.ts";
import type { Revocations } from "./removal/revocations.ts";
import { rotationStateOf } from "./rotation/progress.ts";
import { secretEditsOf } from "./rotation/rebinding.ts";
import type { Rotations } from "./rotation/rotations.ts";

/**
 * Credentials and their secrets: who may sign in, with what, as whom, and until when. What is done to
 * them is in parts of its own: `rotations`, `revocations`, `removals`, `purge`.
 */
export class Credentials {
  readonly #deps: CredentialsDeps;
  readonly #ledger: Ledger;
  readonly #parts: CredentialParts;

  private constructor(deps: CredentialsDeps, ledger: Ledger) {
    this.#deps = deps;
    this.#ledger = ledger;
    this.#parts = makeParts(deps, ledger);
  }

  /** Reads everything into memory, and goes on with rotations that were under way. */
  static async open(deps: CredentialsDeps): Promise<Credentials> {
    const credentials = new Credentials(deps, await Ledger.open(deps.store));
    const { rotations, upkeep } = credentials.#parts;
    rotations.resume();
    upkeep.start();
    return credentials;
  }

  /** Replaces secrets under running agents. */
  get rotations(): Rotations {
    return this.#parts.rotations;
  }

  /** Takes single secrets and hosts away. */
  get revocations(): Revocations {
    return this.#parts.revocations;
  }

  /** Takes whole credentials away. */
  get removals(): Removals {
    return this.#parts.removals;
  }

  /** Removes what nobody uses. */
  get purge(): Purge {
    return this.#parts.purge;
  }

  /** Clients that wait for a person. */
  get joins(): JoinDesk {
    return this.#parts.gate;
  }

  /** Checks a login in memory: no disk, the same time for any number of credentials. */
  login(authId: string, password: string, address: string): Promise<LoginResult> {
    return this.#parts.authenticator.login({ authId, password, address });
  }

  /**
   * Whether the client may not be the one that is on record under its id, and nobody has approved it;
   * see `Doubts`. Looks into memory only.
   */
  isDoubted(login: AcceptedLogin, host: ShownHost): boolean {
    return this.#parts.doubts.about(login.credentialId, host) !== undefined;
  }

  /** Why a client may not even ask to be let in; see `JoinGate.whyNot`. Looks into memory only. */
  whyNot(login: AcceptedLogin, host: ShownHost): RefusedAdmission | undefined {
    return this.#parts.gate.whyNot(login, host);
  }

  /** Whether a client may go on to be let in; see `JoinGate.pass`. */
  join(login: AcceptedLogin, newcomer: Newcomer): Promise<RefusedAdmission | undefined> {
    return this.#parts.gate.pass(login, newcomer);
  }

  /**
   * Whether the agent behind a login may be this client. Binds single-use secrets durably. Fails
   * with `DISK_FULL` when that cannot be written.
   */
  async admit(login: AcceptedLogin, host: ShownHost): Promise<Admission> {
    const { admissions, lastUse } = this.#parts;
    const admission = await admissions.admit(login, host);
    if (admission.kind === "admitted") lastUse.note(login.credentialId, login.secretId);
    return admission;
  }

  /** To be called when a session is registered and may be asked: moves it if that is due. */
  onSessionReady(session: SessionHandle): void {
    const { offers, rotations } = this.#parts;
    const { credentialId } = session;
    const onFault = loggedFault(this.#deps.log, "a client's move to a new secret");
    offers
      .greet(session)
      .then(() => rotations.check(credentialId))
      .catch(onFault);
  }

  /** Makes a credential; the answer is the only one that contains its password. */
  create(input: NewCredential): Promise<IssuedSecret> {
    return this.#parts.creation.create(input);
  }

  /** Adds a generated or typed secret that any client may use. */
  addSecret(id: AuthId, input: SecretInput = {}): Promise<IssuedSecret> {
    return this.#parts.creation.addSecret(this.#ledger.need(id), input);
  }

  /** Changes label, kind or limits; see `changeCredential`. */
  update(id: AuthId, change: CredentialChange): Promise<void> {
    return changeCredential(this.#ledger.need(id).id, change, this.#deps.store);
  }

  /** All of them as people see them, by id. */
  /** How many there are. */
  get count(): number {
    return this.#ledger.all().length;
  }

  list(): Credential[] {
    return this.#ledger.all().map((entry) => this.#view(entry));
  }

  /** The ids of all of them, in order. */
  ids(): readonly AuthId[] {
    return this.#ledger.all().map(({ id }) => id);
  }

  /** A credential as people see it. */
  get(id: string): Credential | undefined {
    const entry = this.#ledger.get(id as AuthId);
    return entry && this.#view(entry);
  }

  /** The secrets of a credential, oldest first; empty when there is none. */
  secrets(id: AuthId): Secret[] {
    const rows = this.#ledger.get(id)?.secrets() ?? [];
    return rows
      .sort((one, other) => one.seq - other.seq)
      .map((row) => toSecret(row, this.#parts.times));
  }

  /** The state of a secret for a client's record; undefined when the secret is gone. */
  clientSecret(id: AuthId, secretId: SecretId): ClientSecret | undefined {
    const row = this.#ledger.get(id)?.secret(secretId);
    return row && toClientSecret(row);
  }

  /** How far a client is in the rotation that is under way; undefined: there is none, or it has moved. */
  rotationState(id: AuthId, clientId: ClientId): RotationState | undefined {
    const entry = this.#ledger.get(id);
    const client = this.#deps.clients.clientOf(clientId);
    return entry && client && rotationStateOf(entry, client);
  }

  /** Makes secrets that bind to their first client, if it comes before `expiresAt` (epoch ms). */
  async mintForPairing(id: AuthId, count: number, expiresAt: number): Promise<OfferedSecret[]> {
    const { clock, store, verifierKey } = this.#deps;
    const entry = this.#ledger.need(id);
    const nowMs = clock.now();
    if (isCredentialExpired(entry, nowMs)) {
      throw new RportError("CONFLICT", `The credential "${id}" has expired.`);
    }
    const unboundUntil = this.#parts.steady() + expiresAt - nowMs;
    const purpose = { origin: "pairing" as const, nowMs, unboundUntil };
    const minted = Array.from({ length: count }, () => mintSecret(entry, verifierKey, purpose));
    await store.commit(minted.map(({ row }) => ({ kind: "add", row })));
    return minted.map(({ secretId, secret }) => ({ secretId, secret }));
  }

  /**
   * Fails unless each of these secrets still opens the credential: with
   * `ERR_CODE_CLIENT_AUTH_NOT_FOUND`, or with `CONFLICT`.
   */
  requireUsable(id: AuthId, ids: readonly SecretId[]): void {
    const { authenticator } = this.#parts;
    const entry = this.#ledger.need(id);
    const rows = ids.map((secretId) => entry.secret(secretId));
    if (rows.every((row) => row && authenticator.whyRefused(entry, row) === undefined)) return;
    throw new RportError("CONFLICT", "Its secrets were revoked meanwhile: try again.");
  }

  /** Ends secrets that nobody claimed; see `Revocations.secrets`. */
  revokeSecrets(ids: readonly SecretId[]): Promise<void> {
    return this.#parts.revocations.secrets(ids);
  }

  /** What becomes of the secrets of the host `from`, which is the client `to` now. */
  adoptionEdits({ from, to }: { readonly from: ClientId; readonly to: ClientId }): SecretEdit[] {
    const adoption = { from, to, nowMs: this.#deps.clock.now() };
    return this.#ledger.all().flatMap((entry) => secretEditsOf(entry, adoption));
  }

  /** To be called when a client has got other secrets: it is moved on if its rotation asks for it. */
  onAdopted(id: ClientId): void {
    const session = this.#deps.sessions.locate(id);
    if (session !== undefined) void this.#parts.offers.shift(session);
  }

  /** Stops timers and writes what is still to be written. The store stays open. */
  async close(): Promise<void> {
    const { waitingRoom, floods, crowds, upkeep, rotations, rotationViews, arrears, lastUse } =
      this.#parts;
    waitingRoom.drop(() => true);
    floods.close();
    crowds.close();
    upkeep.stop();
    rotations.stop();
    rotationViews.close();
    await arrears.close();
    await lastUse.flush();
  }

  #view(entry: LedgerEntry): Credential {
    const { rotationViews, floods, crowds, steady } = this.#parts;
    return toCredential(entry, {
      clients: this.#deps.clients,
      nowMs: steady(),
      rotation: rotationViews.of(entry),
      floodedAt: floods.since(entry.id),
      crowdedAt: crowds.since(entry.id),
    });
  }
}
