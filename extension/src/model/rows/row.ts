/** How a row looks and sounds, without anything of the editor's API. */
export interface Row {
  readonly label: string;
  readonly description: string;
  readonly icon: RowIcon | undefined;
  /** See `contextValue`. */
  readonly context: string;
  readonly children: "none" | "collapsed" | "expanded";
  /** Name first, then state, for screen readers. */
  readonly spoken: string;
}

/** A product icon and, where the state has one, its theme colour. */
export interface RowIcon {
  readonly name: string;
  readonly color?: string;
}

/** Whether two rows look, sound and behave the same. */
export function isSameRow(a: Row, b: Row): boolean {
  return (
    a.label === b.label &&
    a.description === b.description &&
    a.context === b.context &&
    a.children === b.children &&
    a.spoken === b.spoken &&
    a.icon?.name === b.icon?.name &&
    a.icon?.color === b.icon?.color
  );
}

/** The parts that are not empty, joined by a middle dot. */
export function joinDots(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" \u00B7 ");
}

/** The parts that are not empty, joined by a comma, as they are spoken. */
export function joinSpoken(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(", ");
}
