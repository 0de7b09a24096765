import { z } from "zod";
import { beginningOf } from "./ownText.ts";

/** Keys come from outside as values do: so many characters of one say where a fault is. */
const KEY_MAX = 100;

/**
 * A list whose first wrong item ends the work. A schema's own list describes the fault
 * of each item, and a million wrong ones take minutes and gigabytes of whoever looks.
 */
export function listOf<S extends z.ZodType>(
  item: S,
  { min = 0, max = Number.POSITIVE_INFINITY } = {},
) {
  const isList = (value: unknown): value is readonly unknown[] =>
    Array.isArray(value) && value.length >= min && value.length <= max;
  const length = max === Number.POSITIVE_INFINITY ? `${min} or more` : `${min} to ${max}`;
  return z
    .custom<readonly z.input<S>[]>(isList, { error: `not a list of ${length}`, abort: true })
    .transform((items, context): z.output<S>[] => {
      const good: z.output<S>[] = [];
      for (const [n, one] of items.entries()) {
        const parsed = item.safeParse(one);
        if (!parsed.success) return firstFault(parsed.error, n, context);
        good.push(parsed.data);
      }
      return good;
    });
}

/** An object of any size with values of one kind, whose first wrong one ends the work, too. */
export function mapOf<S extends z.ZodType<string>>(item: S) {
  const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  return z
    .custom<Readonly<Record<string, z.input<S>>>>(isMap, { error: "not an object", abort: true })
    .transform((map, context): Record<string, z.output<S>> => {
      const good: [string, z.output<S>][] = [];
      for (const [key, one] of Object.entries(map)) {
        const parsed = item.safeParse(one);
        if (!item.safeParse(key).success || !parsed.success) {
          return firstFault(parsed.error, key, context);
        }
        good.push([key, parsed.data]);
      }
      return Object.fromEntries(good);
    });
}

/** Says the first fault of an item, and where that stands. */
function firstFault(
  error: z.ZodError | undefined,
  at: number | string,
  context: z.RefinementCtx,
): never {
  const [issue] = error?.issues ?? [];
  const message = issue?.message ?? "a key that is none";
  const path = [at, ...(issue?.path ?? [])].map((each) => {
    return typeof each === "string" ? beginningOf(each, KEY_MAX) : each;
  });
  context.addIssue({ code: "custom", message, path });
  return z.NEVER;
}
