import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { errorText } from "../platform/log.ts";
import type { SecretEdit } from "../store/secretEdit.ts";
import type { SecretRow } from "../store/secretRow.ts";
import type { Authenticator } from "./authenticator.ts";
import { belongsToOther } from "./authenticator.ts";
import type { Ledger } from "./ledger.ts";
import type { LiveCredential } from "./liveCredential.ts";
import type { AcceptedLogin, Admission, ClientSecret } from "./login.ts";
import { Registering } from "./registering.ts";
import type { SessionPort } from "./session.ts";

/** What admissions are decided by. */
export interface AdmissionDeps {
  readonly ledger: Ledger;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly log: Log;
  readonly sessions: () => SessionPort;
}

/** Decides whether an agent that signed in may be the client it says it is. */
export class Admissions {
  readonly #deps: AdmissionDeps;
  readonly #binding = new Map<SecretId, Promise<void>>();
  readonly #registering: Registering;

  constructor(deps: AdmissionDeps) {
    this.#deps = deps;
    this.#registering = new Registering(deps.clock);
  }

  /** The client is among the credential's records now, and is counted there. */
  recorded(authId: AuthId, id: ClientId): void {
    this.#registering.leave(authId, id);
  }

  /**
   * Binds a single-use secret to its first client, and retires the secrets that the client's
   * present one has replaced; both are on disk before this resolves.
   */
  async admit(login: AcceptedLogin, clientId: ClientId): Promise<Admission> {
    await this.#binding.get(login.secretId);
    const live = this.#deps.ledger.get(login.credentialId);
    const reason = live === undefined ? GONE : this.#whyNot(live, login.secretId, clientId);
    if (live === undefined || reason !== undefined) return refused(reason ?? GONE);
    this.#note(live, clientId);
    await this.#bind(live, login.secretId, clientId);
    await this.#retire(live, login.secretId, clientId);
    const late = this.#whyNot(live, login.secretId, clientId);
    const row = live.secret(login.secretId);
    if (row === undefined || late !== undefined) return refused(late ?? GONE);
    return { kind: "admitted", secret: toClientSecret(row) };
  }

  /** A second client that brings the same secret waits until it is clear whose it is. */
  async #bind(live: LiveCredential, id: SecretId, clientId: ClientId): Promise<void> {
    const row = live.secret(id);
    if (row === undefined || !row.single_use || row.client_id !== null) return;
    const edit = this.#deps.ledger.edit(live, [{ kind: "bind", id, clientId }]);
    this.#binding.set(
      id,
      edit.catch(() => undefined),
    );
    try {
      await edit;
    } finally {
      this.#binding.delete(id);
    }
  }

  /** A full disk must not lock anybody out: what is not retired now is at the next login. */
  async #retire(live: LiveCredential, id: SecretId, clientId: ClientId): Promise<void> {
    const row = live.secret(id);
    const edits = row === undefined ? [] : retireOlder(live, row, clientId);
    await this.#deps.ledger.edit(live, edits).catch((caught: unknown) => {
      this.#deps.log.warn("replaced secrets were not removed", { reason: errorText(caught) });
    });
  }

  #whyNot(live: LiveCredential, secretId: SecretId, clientId: ClientId): string | undefined {
    const row = live.secret(secretId);
    if (row === undefined) return GONE;
    const reason = this.#deps.authenticator.whyRefused(live, row);
    if (reason !== undefined) return reason === "expired" ? EXPIRED : GONE;
    if (belongsToOther(row, clientId)) {
      return "This secret belongs to another client: each host needs a pairing of its own.";
    }
    if (this.#deps.sessions().clientOf(clientId)?.isRevoked === true) return CLIENT_REVOKED;
    return this.#whyTooMany(live, clientId);
  }

  #whyTooMany(live: LiveCredential, clientId: ClientId): string | undefined {
    const max = live.record.limits.max_clients;
    if (max === null) return undefined;
    const sessions = this.#deps.sessions();
    if (sessions.clientOf(clientId)?.credentialId === live.id) return undefined;
    if (this.#registering.has(live.id, clientId)) return undefined;
    const known = sessions.countOf(live.id).total + this.#registering.count(live.id);
    return known < max ? undefined : `The credential "${live.id}" may have at most ${max} clients.`;
  }

  #note(live: LiveCredential, clientId: ClientId): void {
    if (live.record.limits.max_clients === null) return;
    if (this.#deps.sessions().clientOf(clientId)?.credentialId === live.id) return;
    this.#registering.enter(live.id, clientId);
  }
}

const GONE = "These credentials were revoked.";
const CLIENT_REVOKED = "This client was revoked: it is let in again when somebody allows it.";
const EXPIRED = "These credentials have expired.";

function refused(reason: string): Admission {
  return { kind: "refused", reason };
}

/** The secret as a client's record shows it. */
export function toClientSecret(row: SecretRow): ClientSecret {
  return { id: row.id, origin: row.origin, state: row.state };
}

/** A client that shows a secret of its own has stored it: the ones before it are not needed. */
export function retireOlder(
  live: LiveCredential,
  row: SecretRow,
  clientId: ClientId,
): SecretEdit[] {
  if (row.client_id !== clientId) return [];
  const older = live.secretsOf(clientId).filter((other) => other.seq < row.seq);
  return older.map((other) => ({ kind: "remove", id: other.id }));
}
