/** One value of a figure, under the labels that tell it from the others. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A figure of the server. Labels have a few values that are known beforehand, and never secrets. */
export interface Figure {
  /** Without the prefix that all share. */
  readonly name: string;
  readonly help: string;
  /** A counter only grows until the server ends. */
  readonly kind: "gauge" | "counter";
  readonly labels?: readonly string[];
  /** Its values now. */
  readonly read: () => readonly Sample[] | Promise<readonly Sample[]>;
}

/** A figure with one value. */
export function single(
  kind: Figure["kind"],
  name: string,
  { help, read }: { readonly help: string; readonly read: () => number },
): Figure {
  return { kind, name, help, read: () => [{ value: read() }] };
}

/** A figure with one value for each word of a label. */
export function byLabel(
  label: string,
  figure: Pick<Figure, "kind" | "name" | "help"> & {
    readonly read: () => Iterable<readonly [string, number]>;
  },
): Figure {
  const { kind, name, help, read } = figure;
  const samples = (): Sample[] =>
    [...read()].map(([word, value]) => ({ labels: { [label]: word }, value }));
  return { kind, name, help, labels: [label], read: samples };
}
