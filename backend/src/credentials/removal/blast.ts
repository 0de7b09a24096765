import type { AuthId, SecretId } from "@rport/protocol/ids";
import type { DeletionReport } from "@rport/protocol/report";
import type {
  ClientRef,
  CredentialTouch,
  PairingPort,
  SessionHandle,
  SessionPort,
} from "../ports.ts";

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
export interface BlastPorts {
  readonly sessions: () => SessionPort;
  readonly pairings: () => PairingPort;
}

/** What hangs on a whole credential. */
export function blastOfCredential(id: AuthId, { sessions, pairings }: BlastPorts): Blast {
  return {
    clients: sessions().clientsOf(id),
    sessions: () => sessions().ofCredential(id).slice(),
    pairings: pairings().openOf(id),
    endPairings: () => void pairings().revokeOf(id),
  };
}

/** What hangs on some secrets of a credential; `isHit` tells for the record of a client. */
export function blastOfSecrets(
  id: AuthId,
  secrets: ReadonlySet<SecretId>,
  how: BlastPorts & { readonly isHit?: (client: ClientRef) => boolean },
): Blast {
  const { sessions, pairings } = how;
  const stands = ({ secretId }: ClientRef): boolean => secretId !== null && secrets.has(secretId);
  return {
    clients: sessions()
      .clientsOf(id)
      .filter(how.isHit ?? stands),
    sessions: () =>
      sessions()
        .ofCredential(id)
        .filter((session) => secrets.has(session.secretId)),
    pairings: pairings().openOf(id, secrets),
    endPairings: () => void pairings().revokeOf(id, secrets),
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
export function strike(blast: Blast, reason: string, touch: CredentialTouch): DeletionReport {
  const report = reportOf(blast);
  for (const session of blast.sessions()) session.cut(reason);
  blast.endPairings();
  for (const client of blast.clients) touch("client", client.id);
  return report;
}
