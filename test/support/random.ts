/** Random numbers that a seed repeats, so that a failure can be run again. */
export interface SeededRandom {
  readonly seed: number;
  /** From 0 up to, not including, `below`; whole. */
  below(below: number): number;
  /** One of the items, each as likely. */
  pick<T>(items: readonly [T, ...T[]]): T;
}

/** Starts from `RPORT_TEST_SEED`, or from a seed of its own; tests name it when they fail. */
export function seededRandom(): SeededRandom {
  const given = process.env.RPORT_TEST_SEED;
  return randomFrom(given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given));
}

/** The numbers that this seed gives; of its 32 bits, the lowest count. */
export function randomFrom(given: number): SeededRandom {
  const seed = given >>> 0;
  let state = seed;
  // mulberry32: 32 bits of state are plenty for choosing moments and actions.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return { seed, below, pick: (items) => items[below(items.length)] ?? items[0] };
}
