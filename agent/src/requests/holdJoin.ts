import { REQUESTS } from "@rport/protocol/agent";
import { z } from "zod";
import { type ServerRequest, serverRequest } from "./serverRequest.ts";

/**
 * A person is being asked about this host: there is reason to go on waiting. Asked while the server
 * registers us, hence before it has named its features.
 */
export function holdJoin(onHeld: () => void): ServerRequest {
  return serverRequest({
    name: REQUESTS.holdJoin,
    limits: { bytes: 1 << 10 },
    schema: z.unknown(),
    answer() {
      onHeld();
      return undefined;
    },
  });
}
