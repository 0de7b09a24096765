/** Flags that apply, by name. */
export type Flags = Readonly<Record<string, boolean>>;

/**
 * The one builder of `contextValue`: the kind, then `+flag` for each flag that holds, in
 * alphabetical order. Menus match with `viewItem =~ /^kind\b.*\+flag\b/`.
 */
export function contextValue(kind: string, flags: Flags = {}): string {
  const names = Object.keys(flags).filter((name) => flags[name]);
  return [kind, ...names.sort()].join("+");
}

/** The same row with one flag more. */
export function withFlag(context: string, flag: string): string {
  const [kind = "", ...names] = context.split("+");
  return [kind, ...[...names, flag].sort()].join("+");
}
