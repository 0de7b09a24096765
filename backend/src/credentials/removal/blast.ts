import type { AuthId, SecretId } from "@rport/protocol/ids";
import type { DeletionReport } from "@rport/protocol/report";
import type { ClientPort, ClientRef, PairingPort, SessionHandle, SessionPort } from "../ports.ts";

/** Everything that ends when something is taken away. */
export interface Blast {
  readonly clients: readonly ClientRef[];
  /** Asked at the last moment: somebody may have signed in while the mark was written. */
  readonly sessions: () => readonly SessionHandle[];
  /** How many open pairings can no longer be claimed. */
  readonly pairings: number;
  /** Ends those pairings. */
  readonly endPairings: () => void;
}

/** Where it is looked up who is hit. */
export interface BlastDeps {
  readonly clients: Pick<ClientPort, "clientsOf">;
  readonly sessions: Pick<SessionPort, "ofCredential">;
  readonly pairings: PairingPort;
}

/** What hangs on a whole credential. */
export function blastOfCredential(id: AuthId, { clients, sessions, pairings }: BlastDeps): Blast {
  return {
    clients: clients.clientsOf(id),
    sessions: () => sessions.ofCredential(id).slice(),
    pairings: pairings.openOf(id),
    endPairings: () => void pairings.revokeOf(id),
  };
}

/** Secrets of one credential that are taken away. */
export interface TakenSecrets {
  readonly credential: AuthId;
  readonly ids: ReadonlySet<SecretId>;
  /** Whether the client of a record is hit; absent: when its record stands on one of them. */
  readonly isHit?: (client: ClientRef) => boolean;
}

/** What hangs on some secrets of a credential. */
export function blastOfSecrets({ credential, ids, isHit }: TakenSecrets, deps: BlastDeps): Blast {
  const { clients, sessions, pairings } = deps;
  const stands = ({ secretId }: ClientRef): boolean => secretId !== undefined && ids.has(secretId);
  return {
    clients: clients.clientsOf(credential).filter(isHit ?? stands),
    sessions: () =>
      sessions.ofCredential(credential).filter((session) => ids.has(session.secretId)),
    pairings: pairings.openOf(credential, ids),
    endPairings: () => void pairings.revokeOf(credential, ids),
  };
}

/** What goes with the record of a client; nothing is connected there. */
export function blastOfRecord(client: ClientRef | undefined): Blast {
  const clients = client === undefined ? [] : [client];
  return { clients, sessions: () => [], pairings: 0, endPairings: () => undefined };
}

/** Tells what is hit. Nothing happens. */
export function reportOf({ clients, sessions, pairings }: Blast): DeletionReport {
  return {
    clients: clients.map(({ id, name, connected, tunnels }) => ({ id, name, connected, tunnels })),
    disconnected: sessions().length,
    pairings,
    offline: clients.filter(({ connected }) => !connected).map(({ id }) => id),
  };
}

/**
 * Ends what is hit, before it returns, and tells what that was. Whatever let it in has to be
 * taken away durably before.
 */
export function strike(blast: Blast, reason: string): DeletionReport {
  const report = reportOf(blast);
  for (const session of blast.sessions()) session.cut(reason);
  blast.endPairings();
  return report;
}
