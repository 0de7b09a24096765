import { z } from "zod";
import { pairingServiceSchema, pairingStepKindSchema } from "./model.ts";

const time = z.iso.datetime({ offset: true });

/**
 * How far one host has come that used a pairing. `silent`: it has the credentials, and nothing was
 * heard of it for two minutes. `offline`, `hostRevoked`, `deleted`: it was connected, and is not any more.
 */
export const hostStageSchema = z.enum([
  "claimed",
  "installed",
  "approval",
  "connected",
  "refused",
  "failed",
  "silent",
  "offline",
  "hostRevoked",
  "deleted",
]);

/** How far one host has come. */
export type HostStage = z.infer<typeof hostStageSchema>;

/** What helps a host that was not let in: a button of the sheet. */
export const cureSchema = z.enum(["newId", "renew", "limits", "allow"]);

/** What helps a host that was not let in. */
export type Cure = z.infer<typeof cureSchema>;

/** One host that used the pairing. */
export const sheetHostSchema = z.object({
  clientId: z.string(),
  /** As the user named it, else as it calls itself. */
  name: z.string(),
  address: z.string(),
  os: z.string(),
  stage: hostStageSchema,
  /** When that happened, or when it was last heard of. */
  at: time,
  /** All that was heard of it, the oldest first: the kinds of a pairing's steps. */
  steps: z.array(z.object({ at: time, kind: pairingStepKindSchema })),
  /** What whoever was refused was told, where it failed, or what is odd about one that waits. */
  text: z.string(),
  cure: cureSchema.optional(),
});

/** One host that used the pairing. */
export type SheetHost = z.infer<typeof sheetHostSchema>;

/** What may be chosen for the host or hosts. */
export const sheetOptionsSchema = z.object({
  name: z.string().max(2_000),
  tags: z.array(z.string().max(2_000)).max(200),
  /** The only host that may use the line, by the name it has itself; empty: any. */
  hostname: z.string().max(2_000),
  /** How many hosts one line is for, as it was typed. */
  uses: z.string().max(20),
  /** How many minutes the line works, as it was typed; empty: as the server is set. */
  minutes: z.string().max(20),
  user: z.string().max(2_000),
  prefix: z.string().max(2_000),
  /** What the download and the agent go through, without a password. */
  proxy: z.string().max(2_000),
  /** A file on the host to install from; empty: the agent is fetched. */
  packageFile: z.string().max(2_000),
  /** Its SHA-256. */
  sha256: z.string().max(200),
  /** What runs the agent; `auto`: an executable of its own where there is one, else Node.js. */
  runtime: z.enum(["auto", "bun", "node"]),
  /** Whether whoever may open terminals may do so there, as `user`, or as whoever installs in `prefix`. */
  terminals: z.boolean(),
  noService: z.boolean(),
  noStart: z.boolean(),
  newId: z.boolean(),
  force: z.boolean(),
});

/** What may be chosen for the host or hosts. */
export type SheetOptions = z.infer<typeof sheetOptionsSchema>;

const platformSchema = z.object({
  id: z.string(),
  title: z.string(),
  commands: z.array(z.object({ id: z.string(), title: z.string(), text: z.string() })),
});

/**
 * Where the line stands. What has become of the hosts that used it stands with each of them: `used`
 * says no more than that it cannot be used again.
 */
const lineSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("creating") }),
  z.object({ kind: z.literal("open"), expiresAt: time }),
  z.object({ kind: z.literal("used") }),
  z.object({ kind: z.literal("expired"), at: time }),
  z.object({ kind: z.literal("revoked") }),
  /** After a reload of the window: it may still be open, but nobody has its token any more. */
  z.object({ kind: z.literal("lost") }),
  /** The server does not know it any more, and nobody saw how it ended. */
  z.object({ kind: z.literal("over") }),
  z.object({ kind: z.literal("credentialGone") }),
  z.object({
    kind: z.literal("failed"),
    reason: z.string(),
    requestId: z.string(),
    /** The pairing service is to blame, so that this server can take its place. */
    isService: z.boolean(),
  }),
]);

/** An address that only the server's own machine can reach, and what can be done about it. */
const nearOnlySchema = z.object({
  url: z.string(),
  /** Whether other hosts would reach the server under another address of its machine. */
  listensTo: z.enum(["this-machine", "all-addresses", "one-address", "unknown"]),
  /** Other addresses under which it can be reached, as base URLs with the name of the network card. */
  addresses: z.array(z.object({ url: z.string(), card: z.string() })),
});

/** The configuration for a host without a way to this server's installer. */
const manualSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("none") }),
  z.object({ kind: z.literal("making") }),
  z.object({
    kind: z.literal("made"),
    /** With the secret masked, unless it was asked for. */
    text: z.string(),
    isShown: z.boolean(),
  }),
  z.object({ kind: z.literal("revoked") }),
  z.object({ kind: z.literal("failed"), reason: z.string() }),
]);

/**
 * Messages between the extension host and the install sheet. The page says `ready`; the host
 * answers with a whole `state`, and sends it again whenever anything in it changes.
 */
export const sheetStateSchema = z.object({
  type: z.literal("state"),
  server: z.object({ name: z.string(), url: z.string(), fingerprint: z.string() }),
  credential: z.string(),
  /** The pairing that is shown, so that it is found again after a reload; empty: none. */
  pairingId: z.string(),
  line: lineSchema,
  /** How many hosts the line is for. */
  uses: z.number(),
  /** The only host that may use it; empty: any. */
  hostname: z.string(),
  service: pairingServiceSchema,
  /** Those that used it, or tried, in the order in which they came. */
  hosts: z.array(sheetHostSchema),
  /** What has happened otherwise, the oldest first: sentences with their time. */
  news: z.array(z.object({ at: time, text: z.string() })),
  nearOnly: nearOnlySchema.optional(),
  /** The server has no executable for Linux, so there the host's own Node.js runs the agent. */
  linuxNeedsNode: z.boolean().optional(),
  /** Only platforms that work are listed. */
  platforms: z.array(platformSchema),
  /** The one that is shown, as it was the last time. */
  chosen: z.object({ platform: z.string(), command: z.string() }),
  options: sheetOptionsSchema,
  /** Those that mean something where the pairing lies, on the platform that is shown. */
  offered: z.array(sheetOptionsSchema.keyof()),
  /** Why an option cannot be used, by its name; while there is any, nothing can be copied. */
  problems: z.partialRecord(sheetOptionsSchema.keyof(), z.string()),
  manual: manualSchema,
  /**
   * Server time minus local time, in milliseconds, so that the countdown is right on a wrong clock.
   */
  clockSkewMs: z.number(),
});

/** Everything the page shows. */
export type SheetState = z.infer<typeof sheetStateSchema>;

/** Host to page. */
export const toSheetSchema = z.discriminatedUnion("type", [
  sheetStateSchema,
  z.object({ type: z.literal("announce"), text: z.string() }),
  /** Sent before anything else, unless the page speaks English: texts by the English ones. */
  z.object({
    type: z.literal("language"),
    /** A tag of BCP 47, such as `de`. */
    locale: z.string(),
    texts: z.record(z.string(), z.string()),
  }),
  /** Something is in the clipboard now. */
  z.object({ type: z.literal("copied"), what: z.enum(["line", "manual"]) }),
]);
/** Host to page. */
export type ToSheet = z.infer<typeof toSheetSchema>;

/** What needs nothing but its name. */
const SIMPLE = [
  "ready",
  "copy",
  "runInTerminal",
  "inspectScript",
  "saveScript",
  "renew",
  "revoke",
  "changeCredential",
  "installAnother",
  "useThisServer",
  "openAddressHelp",
  "makeManual",
  "showManual",
  "copyManual",
  "saveManual",
  "revokeManual",
] as const;

/** What needs the host that it is about. */
const ABOUT_HOST = ["showClient", "approve", "deny"] as const;

const clientId = z.string().max(128);

/** Page to host. */
export const fromSheetSchema = z.discriminatedUnion("type", [
  z.object({ type: z.enum(SIMPLE) }),
  z.object({ type: z.enum(ABOUT_HOST), clientId }),
  z.object({ type: z.literal("cure"), clientId, cure: cureSchema }),
  z.object({
    type: z.literal("choose"),
    platform: z.string().max(32),
    command: z.string().max(32),
  }),
  z.object({ type: z.literal("chooseAddress"), url: z.string().max(500) }),
  z.object({ type: z.literal("options"), options: sheetOptionsSchema }),
]);
/** Page to host. */
export type FromSheet = z.infer<typeof fromSheetSchema>;
