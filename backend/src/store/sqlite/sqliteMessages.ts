import type { ErrorCode } from "@rport/protocol/errors";
import type { SqlValue, Statement } from "./database.ts";

/** What the worker opens its file with. */
export interface SqliteFileDeps {
  readonly path: string;
  /** Whether the file may be missing or empty. */
  readonly create: boolean;
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
  | { readonly kind: "started" }
  | {
      readonly kind: "startFailed";
      readonly why: "inUse" | "data" | "io";
      readonly what: string;
    }
  | { readonly kind: "done"; readonly id: number; readonly rows: readonly SqlRow[] }
  | {
      readonly kind: "failed";
      readonly id: number;
      readonly code: Extract<ErrorCode, "DISK_FULL" | "CONFLICT" | "INTERNAL">;
      readonly what: string;
    };
