/** What a limit counts. */
export type LimitUnit = "bytes" | "count" | "ms";

/** One limit: its value unless the configuration says otherwise, and what may be said there. */
export interface LimitRow {
  readonly usual: number;
  readonly least: number;
  readonly most: number;
  readonly unit: LimitUnit;
  /** What it bounds, for the configuration's page and the figures. */
  readonly what: string;
}
