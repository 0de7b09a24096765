import { z } from "zod";
import { listOf, mapOf } from "./asking/untilFault.ts";
import { isDeceptive } from "./deceptive.ts";
import { clientParams, endpoint, none } from "./endpointEntry.ts";

/** Longest name that a person gives a host, and longest tag, in UTF-16 units. */
export const GIVEN_TEXT_MAX = 200;
/** Most tags, and most labels, that a host can be given. */
export const GIVEN_MAX = 256;

/** Why a text cannot be a name or a tag, in words for a person; `undefined` when it can. */
export function whyNotGiven(text: string): string | undefined {
  if (text === "") return "Nothing was typed.";
  if (text.length > GIVEN_TEXT_MAX) return `It has more than ${GIVEN_TEXT_MAX} characters.`;
  if (text !== text.trim()) return "It cannot begin or end with a space.";
  if (isDeceptive(text)) return "It cannot contain invisible or control characters.";
  return undefined;
}

const givenText = z
  .string()
  .max(GIVEN_TEXT_MAX)
  .superRefine((text, context) => {
    const reason = whyNotGiven(text);
    if (reason !== undefined) context.addIssue({ code: "custom", message: reason });
  });

const labels = z
  .record(
    givenText,
    z
      .string()
      .max(GIVEN_TEXT_MAX)
      .refine((text) => !isDeceptive(text)),
  )
  .refine(
    (all) => Object.keys(all).length <= GIVEN_MAX,
    `There are more than ${GIVEN_MAX} labels.`,
  );

/**
 * What people give a host in the place of what its agent says, whatever that says later: absent, it
 * stays as it is; null, the agent is believed again.
 */
export const attributesChangeSchema = z.strictObject({
  name: givenText.nullable().optional(),
  tags: z.array(givenText).max(GIVEN_MAX).nullable().optional(),
  labels: labels.nullable().optional(),
});

/** What people give a host. */
export type AttributesChange = z.infer<typeof attributesChangeSchema>;

/** Endpoints of what a host is called and filed under: RPort's, which writes it on the host itself. */
export const ATTRIBUTE_ENDPOINTS = {
  getClientAttributes: endpoint({
    method: "GET",
    path: "/clients/:clientId/attributes",
    right: "user",
    params: clientParams,
    query: none,
    body: undefined,
    output: z.object({ tags: listOf(z.string()), labels: mapOf(z.string()) }),
    status: 200,
  }),
  /** Administrators only, because tags decide which groups of clients a host is in. */
  setClientAttributes: endpoint({
    method: "PUT",
    path: "/clients/:clientId/attributes",
    right: "administrator",
    params: clientParams,
    query: none,
    body: attributesChangeSchema,
    output: z.literal("ok"),
    status: 200,
  }),
} as const;
