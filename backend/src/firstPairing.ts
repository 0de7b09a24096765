import type { EndpointCall, EndpointOutput } from "@rport/protocol/http";
import { OneConnection } from "@rport/protocol/local/oneConnection";
import { restAnswer, restRequest } from "@rport/protocol/restClient";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";

/** An answer of this process itself takes at most this long. */
const TIMEOUT_MS = 30_000;

/** How this process reaches its own users' face. */
export interface OwnFace {
  readonly url: string;
  readonly token: string;
  /** The key of its own that it speaks TLS with; undefined: it does not. */
  readonly tlsPin: TlsPin | undefined;
}

/**
 * A line that pairs a host, under the oldest credential; undefined when there is none. It is made
 * as an editor would make it, so it is checked and written down in the same way; the port is this
 * process's own, so the token goes to nobody else. Rejects with the server's words.
 */
export async function firstPairing(face: OwnFace): Promise<string | undefined> {
  const credentials = await call(face, "listCredentials", {});
  const [oldest] = credentials.toSorted((a, b) => a.created_at.localeCompare(b.created_at));
  if (oldest === undefined) return undefined;
  const { commands } = await call(face, "createPairing", { body: { credential_id: oldest.id } });
  return commands[0]?.text;
}

async function call<N extends "listCredentials" | "createPairing">(
  { url, token, tlsPin }: OwnFace,
  name: N,
  call: EndpointCall<N>,
): Promise<EndpointOutput<N>> {
  const { path, method, headers: given, body } = restRequest(name, call);
  const headers = { ...given, authorization: `Bearer ${token}`, connection: "close" };
  const connection = new OneConnection(url, tlsPin);
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    return await restAnswer(name, await connection.send(path, { method, headers, body, signal }));
  } finally {
    connection.close();
  }
}
