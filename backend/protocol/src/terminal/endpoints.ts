import { z } from "zod";
import { listOf } from "../asking/untilFault.ts";
import { endpoint, listQuery, none } from "../endpointEntry.ts";
import { clientIdSchema } from "../ids.ts";
import { line, time } from "../texts.ts";
import { accountSchema, terminalIdSchema } from "./terminal.ts";

/** A terminal on a host as people see it. */
export const terminalSchema = z.object({
  id: terminalIdSchema,
  client_id: clientIdSchema,
  /** Whose it is: nobody else is given it. */
  owner: line,
  /** The account of the host that its shell runs as. */
  account: accountSchema,
  started_at: time,
  /** Whether somebody looks at it. */
  attached: z.boolean(),
  /** Whether its host is connected; if not, it may have ended there. */
  connected: z.boolean(),
  /** Whether the server records what it shows; decided when it was opened. */
  recorded: z.boolean(),
});

/** A terminal on a host as people see it. */
export type TerminalView = z.infer<typeof terminalSchema>;

/** Endpoints of terminals on hosts. */
export const TERMINAL_ENDPOINTS = {
  /** One's own; administrators see those of all. */
  listTerminals: endpoint({
    method: "GET",
    path: "/terminals",
    right: "terminal",
    params: none,
    query: listQuery,
    body: undefined,
    output: listOf(terminalSchema),
    status: 200,
  }),
  /** Ends one's own, or any for an administrator; on a host that is away as soon as it is back. */
  deleteTerminal: endpoint({
    method: "DELETE",
    path: "/terminals/:terminalId",
    right: "terminal",
    params: z.object({ terminalId: terminalIdSchema }),
    query: none,
    body: undefined,
    output: undefined,
    status: 204,
  }),
} as const;
