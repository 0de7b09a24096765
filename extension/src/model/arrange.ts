import type { Client } from "@rport/protocol/model";
import { t } from "@vscode/l10n";
import type { Mirror, Swap } from "./mirror.ts";
import { naturalKey } from "./naturalKey.ts";
import { SecretShares } from "./secretShares.ts";
import { type SortedEntry, SortedList } from "./sortedList.ts";

/** The groups of the clients view, in the order in which they are shown. */
export const STATUSES = ["online", "offline"] as const;

/** A group of the clients view. */
export type Status = (typeof STATUSES)[number];

/** What a client is called: its name, else its host name, else its id. */
export function displayName(client: Pick<Client, "id" | "name" | "hostname">): string {
  return client.name || client.hostname || client.id;
}

/** The group a client belongs to. */
export function statusOf(client: Pick<Client, "connection_state">): Status {
  return client.connection_state === "connected" ? "online" : "offline";
}

/** What a status is called within a text. */
export function statusWord(status: Status): string {
  return status === "online" ? t("online") : t("offline");
}

/** One server's clients by status and by credential, in natural order, kept up to date in place. */
export class ArrangedClients {
  readonly #byStatus = { online: new SortedList(), offline: new SortedList() };
  readonly #byCredential = new Map<string, SortedList>();
  readonly #shares = new SecretShares();

  /** The most clients that share one secret of a credential, from 2 on; else 0. */
  sharingOf(authId: string): number {
    return this.#shares.mostOf(authId);
  }

  /** How many clients a group has. */
  countOf(status: Status): number {
    return this.#byStatus[status].size;
  }

  /** Ids of a group's clients in order. */
  withStatus(status: Status): readonly string[] {
    return this.#byStatus[status].ids;
  }

  /** Ids of the clients that last signed in with a credential, in order. */
  ofCredential(authId: string): readonly string[] {
    return this.#byCredential.get(authId)?.ids ?? [];
  }

  /** Arranges everything anew. */
  reset(mirror: Mirror): void {
    const entries = { online: [] as SortedEntry[], offline: [] as SortedEntry[] };
    const byCredential = new Map<string, SortedEntry[]>();
    this.#shares.clear();
    for (const client of mirror.maps.clients.values()) {
      this.#shares.add(client);
      const entry = { id: client.id, key: naturalKey(displayName(client)) };
      entries[statusOf(client)].push(entry);
      const ofCredential = byCredential.get(client.client_auth_id);
      if (ofCredential === undefined) byCredential.set(client.client_auth_id, [entry]);
      else ofCredential.push(entry);
    }
    for (const status of STATUSES) this.#byStatus[status].fill(entries[status]);
    this.#byCredential.clear();
    for (const [authId, list] of byCredential) this.#listOf(authId).fill(list);
  }

  /** Takes over a change of one client. Answers the groups whose rows or order changed. */
  update(change: Swap<"client">): Rearranged {
    const { before, after } = change;
    const statuses = new Set<Status>();
    const credentials = new Set<string>();
    const shared = this.#shares.update(before, after);
    if (before !== undefined && (after === undefined || statusOf(before) !== statusOf(after))) {
      if (this.#byStatus[statusOf(before)].delete(before.id)) statuses.add(statusOf(before));
    }
    if (before !== undefined && before.client_auth_id !== after?.client_auth_id) {
      this.#listOf(before.client_auth_id).delete(before.id);
      credentials.add(before.client_auth_id);
    }
    if (after !== undefined) {
      const key = naturalKey(displayName(after));
      if (this.#byStatus[statusOf(after)].set(after.id, key)) statuses.add(statusOf(after));
      if (this.#listOf(after.client_auth_id).set(after.id, key)) {
        credentials.add(after.client_auth_id);
      }
    }
    return { statuses, credentials, shared };
  }

  #listOf(authId: string): SortedList {
    const list = this.#byCredential.get(authId) ?? new SortedList();
    this.#byCredential.set(authId, list);
    return list;
  }
}

/** What a change rearranged; all empty when a client only changed in place. */
export interface Rearranged {
  /** Groups whose rows or order changed. */
  readonly statuses: ReadonlySet<Status>;
  /** Credentials whose list of clients changed. */
  readonly credentials: ReadonlySet<string>;
  /** Credentials of which a secret is now used by more, or fewer, clients. */
  readonly shared: ReadonlySet<string>;
}
