import { z } from "zod";
import { listOf } from "../asking/untilFault.ts";
import { endpoint, listQuery, none } from "../endpointEntry.ts";
import { clientIdSchema } from "../ids.ts";
import { line, time } from "../texts.ts";
import { accountSchema, terminalEndSchema, terminalIdSchema } from "./terminal.ts";

/** The id of its terminal, and which part of that it is, from 1. */
export const recordingIdSchema = z
  .string()
  .regex(/^[0-9A-Za-z_-]{22}\.[1-9][0-9]{0,5}$/)
  .brand<"RecordingId">();

/** What a recording is called. */
export type RecordingId = z.infer<typeof recordingIdSchema>;

/**
 * How a recording ended: as its terminal did; the server stopped (`server`), behind which another part may
 * go on; it had reached its limit (`full`).
 */
export const recordingEndSchema = z.object({
  how: z.enum([...terminalEndSchema.shape.how.options, "server", "full"]),
  code: terminalEndSchema.shape.code,
  signal: terminalEndSchema.shape.signal,
});

/** How a recording ended. */
export type RecordingEnd = z.infer<typeof recordingEndSchema>;

/**
 * What is known of a recording without reading all of it: it is still written; begin and end are as the
 * server wrote them, with as many bytes between them; it has no end, because the server was killed or it
 * was cut off; something else was put in the place of its begin or its end.
 */
export const recordingStateSchema = z.enum(["running", "whole", "unfinished", "altered"]);

/** What is known of a recording. */
export type RecordingState = z.infer<typeof recordingStateSchema>;

/** A recording of a terminal as administrators see it; null: it cannot be read there. */
export const recordingSchema = z.object({
  id: recordingIdSchema,
  terminal_id: terminalIdSchema,
  /** Counts from 1: the next one goes on where the one before ended. */
  part: z.number().int().positive(),
  client_id: clientIdSchema.nullable(),
  /** Of the client, when it began. */
  hostname: line.nullable(),
  /** Who opened the terminal: the name at that time. */
  owner: line.nullable(),
  /** The account of the host. */
  account: accountSchema.nullable(),
  started_at: time.nullable(),
  /** Null also while it is written, and where its end is missing. */
  ended_at: time.nullable(),
  /** On disk. */
  bytes: z.number().int().nonnegative(),
  end: recordingEndSchema.nullable(),
  state: recordingStateSchema,
});

/** A recording as administrators see it. */
export type RecordingView = z.infer<typeof recordingSchema>;

/** Longest text of one piece of a recording, in characters. */
export const PIECE_MAX_CHARACTERS = 2 << 20;

/** Where a recording is read on: a place that an answer gave. */
const placeSchema = z.string().regex(/^[0-9]{1,16}\.[0-9]{1,10}$/);

/** A piece of a recording: whole lines of the format asciicast v2, each with its end. */
export const recordingPieceSchema = z.object({
  text: z.string().max(PIECE_MAX_CHARACTERS),
  /** Where the next piece begins; null: there is none, or none yet. */
  next: placeSchema.nullable(),
  /** With the last piece it is known of every line; `altered`: what follows cannot be believed, and is left out. */
  state: recordingStateSchema,
});

/** A piece of a recording. */
export type RecordingPiece = z.infer<typeof recordingPieceSchema>;

const recordingParams = z.object({ recordingId: recordingIdSchema });

/** Endpoints of recordings. */
export const RECORDING_ENDPOINTS = {
  listRecordings: endpoint({
    method: "GET",
    path: "/recordings",
    right: "administrator",
    params: none,
    query: listQuery,
    body: undefined,
    output: listOf(recordingSchema),
    status: 200,
  }),
  /** Reads it piece by piece, from its begin or on from `next` of an answer. */
  readRecording: endpoint({
    method: "GET",
    path: "/recordings/:recordingId/cast",
    right: "administrator",
    params: recordingParams,
    query: z.strictObject({ from: placeSchema.optional() }),
    body: undefined,
    output: recordingPieceSchema,
    status: 200,
  }),
  /** One that is still written cannot be deleted. */
  deleteRecording: endpoint({
    method: "DELETE",
    path: "/recordings/:recordingId",
    right: "administrator",
    params: recordingParams,
    query: none,
    body: undefined,
    output: undefined,
    status: 204,
  }),
} as const;
