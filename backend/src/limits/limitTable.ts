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

/**
 * Every limit that somebody can meet, by its key in `[limits]` of the configuration. A new one is a
 * row here, a row of the same name in docs/configuration.md, and `Limits.bite` where it bites.
 */
export const LIMITS = {
  pending_sockets: {
    usual: 1_024,
    least: 16,
    most: 65_536,
    unit: "count",
    what: "agents' sockets that have not signed in",
  },
  pending_sockets_per_network: {
    usual: 256,
    least: 4,
    most: 65_536,
    unit: "count",
    what: "the same from one network; three times as many from a known one",
  },
} as const satisfies Readonly<Record<string, LimitRow>>;

/** The key of a limit. */
export type LimitName = keyof typeof LIMITS;

/** A number for each limit. */
export type LimitValues = Readonly<Record<LimitName, number>>;

/** All keys, in the order of the table. */
export const LIMIT_NAMES = Object.keys(LIMITS) as readonly LimitName[];

/** Numbers for some limits: where they differ from the usual. */
export type SetLimits = { readonly [N in LimitName]?: number | undefined };
