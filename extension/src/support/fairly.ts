/**
 * The first items of each group, as many as there is room for: a group that wants no more than its even share gets
 * all, and what it leaves is shared by the others. So none goes short because another one wants much.
 */
export function fairly<T>(
  groups: readonly (readonly T[])[],
  room: number,
  sizeOf: (item: T) => number,
): readonly (readonly T[])[] {
  const wanted = groups.map((items) => items.reduce((sum, item) => sum + sizeOf(item), 0));
  const shares = fairShares(wanted, room);
  return groups.map((items, index) => {
    let left = shares[index] ?? 0;
    const end = items.findIndex((item) => {
      left -= sizeOf(item);
      return left < 0;
    });
    return end < 0 ? items : items.slice(0, end);
  });
}

/** How much of what each wants it gets, where all have so much room together. */
export function fairShares(wanted: readonly number[], room: number): readonly number[] {
  const shares = wanted.map(() => 0);
  let left = room;
  let count = wanted.length;
  for (const [index, want] of [...wanted.entries()].sort(([, one], [, other]) => one - other)) {
    const share = Math.min(want, Math.floor(left / count));
    shares[index] = share;
    left -= share;
    count -= 1;
  }
  return shares;
}
