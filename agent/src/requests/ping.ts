import { REQUESTS } from "@rport/protocol/agent";
import { z } from "zod";
import { type ServerRequest, serverRequest } from "./serverRequest.ts";

/** Shows that this agent is alive; what the server says with it does not matter. */
export const ping: ServerRequest = serverRequest({
  name: REQUESTS.ping,
  limits: { bytes: 1 << 10 },
  schema: z.unknown(),
  answer: () => undefined,
});
