import { z } from "zod";

/** What bridges and windows say to each other; a bridge of another version than the window is told so. */
export const BRIDGE_VERSION = 1;

/** What a bridge asks for. */
export const openingSchema = z.object({
  /** What somebody calls the client: its handle, its id, its name or its host name. */
  client: z.string().min(1).max(600),
  /** As seen from the client. */
  host: z.string().min(1).max(255),
  port: z.number().int().min(1).max(65_535),
});

/** See `openingSchema`. */
export type Opening = z.infer<typeof openingSchema>;
