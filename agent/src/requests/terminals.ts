import { FEATURES, REQUESTS } from "@rport/protocol/agent";
import { askTerminalsSchema, endTerminalSchema } from "@rport/protocol/terminal/terminal";
import type { Terminals } from "../terminal/terminals.ts";
import { type ServerRequest, serverRequest } from "./serverRequest.ts";

const LIMITS = { bytes: 1 << 10 } as const;
const FEATURE = FEATURES.terminal;

/** Which terminals this host has, and how those ended that the server was not told of. */
function listTerminals(terminals: Terminals): ServerRequest {
  return serverRequest({
    name: REQUESTS.listTerminals,
    feature: FEATURE,
    limits: LIMITS,
    schema: askTerminalsSchema,
    answer: () => ({ terminals: terminals.list() }),
  });
}

/** Ends one, if it is there, or all. */
function endTerminal(terminals: Terminals): ServerRequest {
  return serverRequest({
    name: REQUESTS.endTerminal,
    feature: FEATURE,
    limits: LIMITS,
    schema: endTerminalSchema,
    answer: ({ id, how }) => {
      terminals.end(id, how);
      return undefined;
    },
  });
}

/** What a server may ask about terminals; nothing where there are none. */
export function terminalRequests(terminals: Terminals): readonly ServerRequest[] {
  if (!terminals.arePossible) return [];
  return [listTerminals(terminals), endTerminal(terminals)];
}
