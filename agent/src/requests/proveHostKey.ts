import { proveHostKeySchema, REQUESTS } from "@rport/protocol/agent";
import { type ServerRequest, serverRequest } from "./serverRequest.ts";

/**
 * Signs the server's challenge with this host's key. Asked while the server registers us, hence
 * before it has named its features.
 */
export function proveHostKey(prove: (nonce: string) => string): ServerRequest {
  return serverRequest({
    name: REQUESTS.proveHostKey,
    limits: { bytes: 1 << 10 },
    schema: proveHostKeySchema,
    answer: ({ nonce }) => ({ signature: prove(nonce) }),
  });
}
