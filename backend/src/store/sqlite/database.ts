import type { z } from "zod";

/** What SQLite stores. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** One SQL statement with its values. */
export interface Statement {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

/**
 * Rows on disk. Writes take effect in the order in which they were made; a read sees all that were
 * asked for before it, and perhaps later ones.
 */
export interface Database {
  /**
   * Runs the statements, all or none. Resolves when they would survive a power cut.
   * Fails with `DISK_FULL`, `CONFLICT` (a constraint says no), or `INTERNAL`.
   */
  write(statements: readonly Statement[]): Promise<void>;
  /** The rows of a query, each parsed by `schema`. */
  all<T>(query: Statement, schema: z.ZodType<T>): Promise<T[]>;
  /** Finishes what was asked for, then closes the file. */
  close(): Promise<void>;
}
