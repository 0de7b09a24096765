import { LIMITS, type SetLimits } from "./limitTable.ts";

/** However few descriptors there are, so many connections are taken. */
const SOCKETS_LEAST = LIMITS.sockets.least;

/**
 * The limits, with no more connections than the process has descriptors for: what the log, the
 * database and listening need is kept free. `descriptors`: how many there may be; undefined: any.
 */
export function withinDescriptors(values: SetLimits, descriptors: number | undefined): SetLimits {
  const wanted = values.sockets ?? LIMITS.sockets.usual;
  const kept = values.descriptors_kept ?? LIMITS.descriptors_kept.usual;
  if (descriptors === undefined || wanted + kept <= descriptors) return values;
  return { ...values, sockets: Math.max(SOCKETS_LEAST, descriptors - kept) };
}
