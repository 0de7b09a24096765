import { REQUESTS } from "@rport/protocol/agent";
import type { Connection } from "@rport/protocol/wire/connection";
import { toJsonPayload } from "@rport/protocol/wire/jsonPayload";
import type { EndListener } from "../terminal/ends.ts";

/** Tells a server that knows terminals how they ended. */
export function endListener(connection: Connection, server: string): EndListener {
  return {
    server,
    tellEnd: async (held) => {
      const reply = await connection.request(REQUESTS.terminalEnded, toJsonPayload(held));
      return reply.ok;
    },
    // Who answers this has everything that was sent before it.
    settle: async () => void (await connection.request(REQUESTS.ping, Buffer.alloc(0))),
  };
}
