import { AGENT_STOPS } from "@rport/protocol/agent";
import type { ConnectionEnd } from "@rport/protocol/model";
import type { CloseReason } from "@rport/protocol/wire/wireError";

/** What the server says to everybody when it stops. */
export const SERVER_STOPS = "the server is stopping";

/** How a connection ended, for those who ask later why the client is away. */
export function connectionEnd({ kind, text }: CloseReason): ConnectionEnd {
  return { kind: kindOf(kind, text), text };
}

function kindOf(kind: CloseReason["kind"], text: string): ConnectionEnd["kind"] {
  switch (kind) {
    case "local":
      return text === SERVER_STOPS ? "server" : "cut";
    case "remote":
      return text.includes(AGENT_STOPS) ? "stopped" : "left";
    case "timeout":
      return "silent";
    case "protocol":
    case "limit":
    case "size":
      return "rules";
    default:
      return "lost";
  }
}
