/** Ports from the first to the last, both included. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** Ports in any number of ranges, each port once. */
export class PortRanges {
  readonly #ranges: readonly PortRange[];

  /** The ranges do not overlap; see `withoutOverlaps`. */
  constructor(ranges: readonly PortRange[]) {
    this.#ranges = ranges;
  }

  /** How many ports there are. */
  get size(): number {
    return this.#ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  }

  has(port: number): boolean {
    return this.#ranges.some(({ from, to }) => port >= from && port <= to);
  }

  /** The port at a place, counted from 0 through all ranges; undefined beyond the last one. */
  at(index: number): number | undefined {
    let rest = index;
    for (const { from, to } of this.#ranges) {
      if (from + rest <= to) return from + rest;
      rest -= to - from + 1;
    }
    return undefined;
  }

  /** Those that are in the range, too. */
  within({ from, to }: PortRange): PortRanges {
    const shared = this.#ranges.map((range) => ({
      from: Math.max(from, range.from),
      to: Math.min(to, range.to),
    }));
    return new PortRanges(shared.filter((range) => range.from <= range.to));
  }

  /** As people write it: `20000 to 30000, 9000`. */
  get text(): string {
    const texts = this.#ranges.map(({ from, to }) =>
      from === to ? `${from}` : `${from} to ${to}`,
    );
    return texts.join(", ");
  }
}

/** The same ports in order, each in one range only. */
export function withoutOverlaps(ranges: readonly PortRange[]): PortRange[] {
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of [...ranges].sort((one, other) => one.from - other.from)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last.to + 1) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}

/** The ports of the first ranges that are in none of the others. */
export function withoutRanges(
  ranges: readonly PortRange[],
  excluded: readonly PortRange[],
): PortRange[] {
  return excluded.reduce<PortRange[]>(
    (left, { from, to }) =>
      left.flatMap((range) =>
        [
          { from: range.from, to: Math.min(range.to, from - 1) },
          { from: Math.max(range.from, to + 1), to: range.to },
        ].filter((part) => part.from <= part.to),
      ),
    [...ranges],
  );
}
