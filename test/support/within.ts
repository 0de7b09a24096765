/** Long enough for a busy machine, and sooner than the time that the whole test has. */
const DEADLINE_MS = 25_000;

/**
 * What the promise brings. When it brings nothing for 25 seconds, or for `deadlineMs`, rejects with
 * `what`, which names what was waited for and, as a function, how far things are by then.
 */
export async function within<T>(
  what: string | (() => string),
  promise: Promise<T>,
  deadlineMs: number = DEADLINE_MS,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const text = typeof what === "string" ? what : what();
    late.reject(new Error(`waited ${deadlineMs / 1_000} s for ${text}`));
  }, deadlineMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
