import type { AuthId } from "@rport/protocol/ids";
import type { ClientRecord } from "../records/clientRecord.ts";
import type { CredentialRecord } from "../records/credentialRecord.ts";
import type { RotationRow, SecretRow } from "../records/secretRow.ts";
import type { ShiftRow } from "../records/shiftRow.ts";
import type { Edit } from "./edit.ts";
import type { Follower } from "./editFeed.ts";
import type { People } from "./personEdit.ts";

/** Everything about credentials that is on disk at a start. */
export interface StoredCredentials {
  readonly records: readonly CredentialRecord[];
  /** In order of birth within each credential. */
  readonly secrets: readonly SecretRow[];
  /** The latest rotation of each credential that ever had one. */
  readonly rotations: readonly RotationRow[];
  readonly shifts: readonly ShiftRow[];
  /** The credentials that were deleted last, in that order. */
  readonly deleted: readonly AuthId[];
}

/** Everything about people that is on disk at a start. */
export type StoredPeople = People;

/**
 * The one way in which anything durable changes. An edit is in force when the followers are told of
 * it: memory, indexes and events are followers. For nearly all edits that is when they would survive
 * a power cut (`commit`). Some run ahead of the disk on purpose (`announce`, then `settle`): what
 * only takes rights away, what agents say again at their next connection, and times of use; each
 * place that does so says why.
 */
export interface EditStore {
  /** What is kept of credentials; finishes what a crash interrupted. To be called once. */
  readCredentials(): Promise<StoredCredentials>;
  /** What is kept of clients, by id. */
  readClients(): Promise<ClientRecord[]>;
  /** What is kept of people. */
  readPeople(): StoredPeople;
  /**
   * Makes the edits durable, then tells the followers; resolves after both. `ahead` are edits that
   * are in force already and belong into the same write. All or none of them; records and secrets lie
   * in two files, and where a call changes both, the order is one that a crash cannot hurt. Fails with
   * `DISK_FULL`, `CONFLICT` or `UNAVAILABLE`, or as `editRecords` and `editPeople` do; then nothing has changed.
   * Edits of things that are gone do nothing.
   */
  commit(edits: readonly Edit[], ahead?: readonly Edit[]): Promise<void>;
  /** The edits are in force, and are not on disk yet: `settle` is owed. */
  announce(edits: readonly Edit[]): void;
  /** Makes edits durable that are in force already; fails as `commit` does. */
  settle(edits: readonly Edit[]): Promise<void>;
  /** Tells the follower of every edit from now on, in order, once. */
  follow(follower: Follower): void;
  /** The job's outcome; jobs of one key run one after the other, in the order of the calls. */
  turn<T>(key: string, job: () => Promise<T>): Promise<T>;
}
