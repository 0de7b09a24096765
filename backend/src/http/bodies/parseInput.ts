import { RportError } from "@rport/protocol/errors";
import { ENDPOINTS, type EndpointInput, type EndpointName } from "@rport/protocol/http";
import type { z } from "zod";
import { unknownParameters } from "../rawQuery.ts";

/** More than this many problems say nothing new, nor does a longer one. */
const PROBLEMS_MAX = 20;
const PROBLEM_MAX = 300;

/** The parts of a request as they arrived. */
export interface RawInput {
  readonly params: unknown;
  readonly query: unknown;
  /** Undefined when the endpoint takes no body. */
  readonly body: unknown;
}

/**
 * Parses what an endpoint takes. Throws `ERR_CODE_INVALID_REQUEST` that names the first field that
 * is wrong and why, and the others in its detail. Values are never repeated: one may be a password.
 */
export function parseInput<N extends EndpointName>(name: N, raw: RawInput): EndpointInput<N> {
  const { params, query, body } = ENDPOINTS[name];
  const schemas: [keyof RawInput, z.ZodType | undefined][] = [
    ["params", params],
    ["query", query],
    ["body", body],
  ];
  const parsed: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [part, schema] of schemas) {
    const result = schema?.safeParse(raw[part]);
    if (result?.success === true) parsed[part] = result.data;
    for (const issue of result?.error?.issues ?? []) problems.push(sentence(part, issue));
  }
  const [first, ...others] = problems.slice(0, PROBLEMS_MAX);
  if (first !== undefined) {
    throw new RportError("ERR_CODE_INVALID_REQUEST", first, { detail: others.join("\n") });
  }
  // The schemas above are the ones the type is made from.
  return parsed as unknown as EndpointInput<N>;
}

function sentence(part: keyof RawInput, issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys" && part === "query") return unknownParameters(issue.keys);
  const field = issue.path.map(String).join(".").slice(0, 100);
  const message = issue.message.slice(0, PROBLEM_MAX).toWellFormed();
  return field === "" ? `The ${part}: ${message}` : `${field}: ${message}`;
}
