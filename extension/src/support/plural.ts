/**
 * One of two texts, by a number of things: `plural(n, t("{0} client", n), t("{0} clients", n))`. Whole
 * sentences are told apart, not words, because other languages change more of them than a noun.
 */
export function plural(n: number, one: string, many: string): string {
  return n === 1 ? one : many;
}
