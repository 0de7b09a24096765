import { z } from "zod";
import { FILTER_MAX } from "../model/shown/filter.ts";

/** Longest name or id that is looked for. */
const NAME_MAX = 255;

const server = z
  .string()
  .max(NAME_MAX)
  .optional()
  .describe("Name of the server. Needed only when the editor has several.");
const client = z
  .string()
  .min(1)
  .max(NAME_MAX)
  .describe(
    "ID or name of the client (a host); `id:` and the ID where another one is called the same.",
  );
const credential = z.string().min(1).max(NAME_MAX).describe("Auth ID of the credential.");

/** What each tool takes; the manifest has the same as JSON schemas. */
export const TOOL_INPUTS = {
  rport_list_clients: z.strictObject({
    server,
    filter: z
      .string()
      .max(FILTER_MAX)
      .optional()
      .describe(
        "Terms apart by spaces, all of which have to fit: free text, or name:, id:, address:, tag:, os:, status: (online, offline, revoked, duplicate), auth:, server:.",
      ),
  }),
  rport_get_client: z.strictObject({ server, client }),
  rport_list_credentials: z.strictObject({ server }),
  rport_list_tunnels: z.strictObject({ server }),
  rport_diagnose_client: z.strictObject({ server, client }),
  rport_open_tunnel: z.strictObject({
    server,
    client,
    port: z.int().min(1).max(65_535).describe("TCP port, as seen from the client."),
    host: z
      .string()
      .min(1)
      .max(NAME_MAX)
      .optional()
      .describe("Host that the client reaches the port on; the client itself unless given."),
  }),
  rport_close_tunnel: z.strictObject({
    address: z
      .string()
      .max(NAME_MAX)
      .describe("Local address of a tunnel of this computer, such as 127.0.0.1:15432."),
  }),
  rport_create_pairing: z.strictObject({ server, credential }),
  rport_rotate_credential: z.strictObject({ server, credential }),
} as const;

/** The name of a tool. */
export type ToolName = keyof typeof TOOL_INPUTS;

/** What a tool takes. */
export type ToolInput<N extends ToolName> = z.infer<(typeof TOOL_INPUTS)[N]>;

/** Tools that change something, which a person allows in the settings and confirms each time. */
export const ACTING = [
  "rport_open_tunnel",
  "rport_close_tunnel",
  "rport_create_pairing",
  "rport_rotate_credential",
] as const satisfies readonly ToolName[];
