import { z } from "zod";

/** The name of a host as the host itself says it: RFC 1123, and the underscores that some have. */
export const hostnameSchema = z
  .string()
  .max(255)
  .regex(
    /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/,
    "A host name has letters, digits, - and .",
  );

/**
 * Whether a host that calls itself `said` is the one meant by `expected`: without regard to case, and
 * without its domain where one of the two has none.
 */
export function isSameHost(expected: string, said: string): boolean {
  const [one, other] = [expected, said].map((name) => name.toLowerCase().replace(/\.$/, ""));
  if (one === other) return true;
  const isShort = !one?.includes(".") || !other?.includes(".");
  return isShort && one?.split(".")[0] === other?.split(".")[0];
}
