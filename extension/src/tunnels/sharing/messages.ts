import { isErrorCode, RportError } from "@rport/protocol/errors";
import { z } from "zod";
import { RECORDS_MAX, recordSchema } from "../memory/record.ts";

/** What windows say to each other; windows of other versions are told so and left alone. */
export const VERSION = 3;
/** Longest text of one message: a hundred tunnels have about 60 KB. */
export const MESSAGE_MAX_CHARACTERS = 1024 * 1024;

const SENTENCE_MAX = 4_000;

const tunnelSchema = recordSchema
  .pick({
    id: true,
    serverKey: true,
    clientId: true,
    clientName: true,
    remote: true,
    localPort: true,
    localHost: true,
    workspace: true,
    kind: true,
  })
  .extend({
    isOpen: z.boolean(),
    connections: z.number().int().nonnegative(),
    failure: z.string().max(SENTENCE_MAX).optional(),
    broke: z
      .object({
        why: z.string().max(SENTENCE_MAX),
        atMs: z.number(),
        connections: z.number().int().positive(),
      })
      .optional(),
  });

const requestSchema = recordSchema
  .pick({ serverKey: true, clientId: true, remote: true, isThisComputer: true })
  .extend({
    clientName: z.string().max(2_000),
    isTried: z.boolean().optional(),
    localPort: recordSchema.shape.localPort.optional(),
  });

const actSchema = z.discriminatedUnion("do", [
  z.object({
    do: z.literal("open"),
    request: requestSchema,
    workspace: recordSchema.shape.workspace,
  }),
  z.object({
    do: z.literal("reopen"),
    id: recordSchema.shape.id,
    isAnyPort: z.boolean(),
    workspace: recordSchema.shape.workspace,
  }),
  z.object({ do: z.enum(["close", "forget"]), id: recordSchema.shape.id }),
]);

/** What a window asks of the one that holds the tunnels. */
export type Act = z.infer<typeof actSchema>;

const amount = z.number().int().nonnegative();

const trafficSchema = z.object({
  sinceMs: z.number(),
  connections: amount,
  connectionsTotal: amount,
  usedAtMs: z.number().optional(),
  received: amount,
  sent: amount,
});

/** From a guest that has proven itself: what it wants. */
export const guestMessageSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ask"), ask: z.number().int(), act: actSchema }),
  z.object({ type: z.literal("look"), ask: z.number().int(), id: recordSchema.shape.id }),
]);

const errorSchema = z.object({ code: z.string().max(100), message: z.string().max(4_000) });

/** From the window that holds the tunnels. */
export const keeperMessageSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("tunnels"), tunnels: z.array(tunnelSchema).max(RECORDS_MAX * 2) }),
  z.object({
    type: z.literal("answer"),
    ask: z.number().int(),
    tunnel: tunnelSchema.optional(),
    traffic: trafficSchema.optional(),
    error: errorSchema.optional(),
  }),
]);

/** A tunnel as it travels. */
export type SentTunnel = z.infer<typeof tunnelSchema>;
/** See `guestMessageSchema`. */
export type GuestMessage = z.infer<typeof guestMessageSchema>;
/** What is answered to whoever asked. */
export type Answer = Extract<KeeperMessage, { type: "answer" }>;
/** See `keeperMessageSchema`. */
export type KeeperMessage = z.infer<typeof keeperMessageSchema>;

/** An error as it travels: its sentence and its code, nothing of where it came from. */
export function errorMessageOf(error: unknown): z.infer<typeof errorSchema> {
  const { code, message, detail } = RportError.from(error);
  return { code, message: `${message}${detail === "" ? "" : ` ${detail}`}`.slice(0, 4_000) };
}

/** The error that was sent. */
export function errorOf({ code, message }: z.infer<typeof errorSchema>): RportError {
  return new RportError(isErrorCode(code) ? code : "INTERNAL", message);
}
