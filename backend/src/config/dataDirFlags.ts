/** The flags of every command that works on a data directory, for `parseArgs`. */
export const DATA_DIR_FLAGS = {
  config: { type: "string", short: "c" },
  "data-dir": { type: "string" },
} as const;

/** Those of them that were given, as the backend itself reads them. */
export function dataDirFlags(values: {
  readonly config?: string | undefined;
  readonly "data-dir"?: string | undefined;
}): readonly string[] {
  return (["config", "data-dir"] as const).flatMap((name) => {
    const value = values[name];
    return value === undefined ? [] : [`--${name}=${value}`];
  });
}
