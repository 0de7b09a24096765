/** The value, when it is one of these; else the first of them. */
export function oneOf<const T extends string>(values: readonly [T, ...T[]], value: unknown): T {
  return values.find((each) => each === value) ?? values[0];
}
