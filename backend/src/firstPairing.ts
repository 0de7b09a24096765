import { errorEnvelopeSchema } from "@rport/protocol/errors";
import { ENDPOINTS, type EndpointOutput, pathOf } from "@rport/protocol/http";
import { z } from "zod";

/** How this process reaches its own users' face. */
export interface OwnFace {
  readonly url: string;
  readonly token: string;
}

const answerSchema = z.object({ data: z.unknown() });

/**
 * A line that pairs a host, under the oldest credential; undefined when there is none. It is made
 * as an editor would make it, so it is checked and written down in the same way; the port is this
 * process's own, so the token goes to nobody else. Rejects with the server's words.
 */
export async function firstPairing(face: OwnFace): Promise<string | undefined> {
  const credentials = await call(face, "listCredentials");
  const [oldest] = credentials.toSorted((a, b) => a.created_at.localeCompare(b.created_at));
  if (oldest === undefined) return undefined;
  const { commands } = await call(face, "createPairing", { credential_id: oldest.id });
  return commands[0]?.text;
}

async function call<N extends "listCredentials" | "createPairing">(
  { url, token }: OwnFace,
  name: N,
  body?: object,
): Promise<EndpointOutput<N>> {
  const response = await fetch(new URL(pathOf(name), url), {
    method: ENDPOINTS[name].method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const answer: unknown = await response.json();
  const refused = errorEnvelopeSchema.safeParse(answer).data?.errors[0];
  if (refused !== undefined) throw new Error(refused.title);
  return ENDPOINTS[name].output.parse(answerSchema.parse(answer).data) as EndpointOutput<N>;
}
