import { z } from "zod";
import { authIdSchema, clientIdSchema } from "./ids.ts";
import type { Right } from "./people/right.ts";

/** Go's booleans in a query, as RPort takes them. */
export const goBoolean = z
  .string()
  .regex(/^(1|0|t|f|true|false)$/i, "is not a boolean")
  .transform((text) => /^(1|t|true)$/i.test(text));

/** List parameters of RPort: `filter[x]`, `sort`, `fields[x]`, `page[limit]`, `page[offset]`. */
export const listQuery = z.record(
  z.string().max(200),
  z.union([z.string().max(4_000), z.array(z.string().max(4_000))]),
);

/** One entry of the endpoint table. The router and the extension's client are both driven by it. */
export interface Endpoint {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below `API_PREFIX`; `:name` marks a parameter, which travels percent-encoded. */
  readonly path: string;
  /** What a caller needs for it. */
  readonly right: Right;
  /** Takes its body also as `application/x-www-form-urlencoded`. */
  readonly takesForm?: true;
  /** Answers without RPort's envelope. */
  readonly isBare?: true;
  readonly params: z.ZodObject;
  readonly query: z.ZodType;
  /** `undefined`: a request body is not read. */
  readonly body: z.ZodType | undefined;
  /** A request without a body is taken for one with an empty object. */
  readonly mayLackBody?: true;
  /** What stands in `data` of the answer; `undefined`: the answer has no body. */
  readonly output: z.ZodType | undefined;
  readonly status: 200 | 201 | 204;
}

/** A typed entry; `satisfies`-like, but keeps each schema's own type. */
export function endpoint<const E extends Endpoint>(entry: E): E {
  return entry;
}

/** Nothing is taken: a parameter that would change nothing is refused, or its caller is misled. */
export const none = z.strictObject({});
/** A client in the path. */
export const clientParams = z.object({ clientId: clientIdSchema });
/** A credential in the path. */
export const authParams = z.object({ authId: authIdSchema });
/** `report=true`: the answer says what was done; `dry_run=true`: only what would be done. */
export const reportable = z.strictObject({
  dry_run: goBoolean.optional(),
  report: goBoolean.optional(),
});
/** `dry_run=true`: only tell what would happen. */
export const dryRun = z.strictObject({ dry_run: goBoolean.optional() });
