import { z } from "zod";

/**
 * Messages between the extension host and the install sheet. The page says `ready`; the host
 * answers with a whole `state`, and sends it again whenever anything in it changes.
 */
export const sheetStateSchema = z.object({
  type: z.literal("state"),
  server: z.object({ name: z.string(), url: z.string(), fingerprint: z.string() }),
  credential: z.string(),
  /** Where the pairing stands; every kind of failure is told apart. */
  pairing: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("creating") }),
    z.object({ kind: z.literal("waiting"), expiresAt: z.iso.datetime({ offset: true }) }),
    z.object({
      kind: z.literal("claimed"),
      hostname: z.string(),
      address: z.string(),
      expiresAt: z.iso.datetime({ offset: true }),
    }),
    z.object({
      kind: z.literal("connected"),
      clientId: z.string(),
      name: z.string(),
      os: z.string(),
      address: z.string(),
    }),
    z.object({ kind: z.literal("expired") }),
    z.object({ kind: z.literal("revoked") }),
    z.object({ kind: z.literal("failed"), reason: z.string(), requestId: z.string() }),
  ]),
  /** Only platforms that work are listed. */
  platforms: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      commands: z.array(z.object({ id: z.string(), title: z.string(), text: z.string() })),
    }),
  ),
  /** Chosen options; each changes the commands. */
  options: z.object({
    name: z.string(),
    tags: z.array(z.string()),
    noService: z.boolean(),
    prefix: z.string(),
  }),
  /**
   * Server time minus local time, in milliseconds, so that the countdown is right on a wrong clock.
   */
  clockSkewMs: z.number(),
  /** Words of the page in the user's language, by key. */
  strings: z.record(z.string(), z.string()),
});

/** Everything the page shows. */
export type SheetState = z.infer<typeof sheetStateSchema>;

/** Host to page. */
export const toSheetSchema = z.discriminatedUnion("type", [
  sheetStateSchema,
  z.object({ type: z.literal("announce"), text: z.string() }),
]);
/** Host to page. */
export type ToSheet = z.infer<typeof toSheetSchema>;

/** Page to host. */
export const fromSheetSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready") }),
  z.object({ type: z.literal("copy"), platform: z.string().max(32), command: z.string().max(32) }),
  z.object({
    type: z.literal("runInTerminal"),
    platform: z.string().max(32),
    command: z.string().max(32),
  }),
  z.object({ type: z.literal("inspectScript") }),
  z.object({ type: z.literal("renew") }),
  z.object({ type: z.literal("revoke") }),
  z.object({ type: z.literal("changeCredential") }),
  z.object({ type: z.literal("showClient") }),
  z.object({ type: z.literal("installAnother") }),
  z.object({
    type: z.literal("options"),
    options: z.object({
      name: z.string().max(64),
      tags: z.array(z.string().max(64)).max(32),
      noService: z.boolean(),
      prefix: z.string().max(255),
    }),
  }),
]);
/** Page to host. */
export type FromSheet = z.infer<typeof fromSheetSchema>;
