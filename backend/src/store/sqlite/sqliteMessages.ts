import type { ErrorCode } from "@rport/protocol/errors";
import type { SqlValue, Statement } from "./database.ts";

/** What the worker opens its file with. */
export interface SqliteFileDeps {
  readonly path: string;
  /** Whether the file may be missing or empty. */
  readonly create: boolean;
  readonly schema: DatabaseSchema;
  /**
   * The number of a commit that was durable once, as somebody else knows. A file that lacks it has
   * lost changes, and is refused.
   */
  readonly leastCommit?: number | undefined;
  /** Such a file is taken, and goes on with that number. */
  readonly acceptLoss?: boolean;
}

/** The tables of a file, and how it is kept. */
export interface DatabaseSchema {
  /**
   * The steps from an empty file to the newest tables; step n leads to `user_version` n + 1.
   * Released steps are never altered; a change is a further step.
   */
  readonly migrations: readonly string[];
  /**
   * Records are there once, so a commit is answered when it would survive a power cut, each is
   * counted, and no other process may open the file. What is not a record can be made anew from
   * elsewhere: a power cut may take the newest of it, and other processes may read it meanwhile.
   */
  readonly isRecord: boolean;
}

/** What the worker is asked. `close` comes last. */
export type WorkerRequest =
  | { readonly kind: "write"; readonly id: number; readonly statements: readonly Statement[] }
  | { readonly kind: "read"; readonly id: number; readonly query: Statement }
  | { readonly kind: "close"; readonly id: number };

/** A row as SQLite gives it. */
export type SqlRow = Record<string, SqlValue>;

/** What the worker answers; `started` comes first and has no id. */
export type WorkerAnswer =
  /** `commit`: the number of the last one; `lost`: how many of those before it the file lacks. */
  | { readonly kind: "started"; readonly commit: number; readonly lost: number }
  | {
      readonly kind: "startFailed";
      readonly why: "inUse" | "data" | "io";
      readonly what: string;
    }
  | {
      readonly kind: "done";
      readonly id: number;
      readonly rows: readonly SqlRow[];
      /** The number of the last commit. */
      readonly commit: number;
    }
  | {
      readonly kind: "failed";
      readonly id: number;
      readonly code: Extract<ErrorCode, "DISK_FULL" | "CONFLICT" | "INTERNAL">;
      readonly what: string;
    };
