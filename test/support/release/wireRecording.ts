import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ROOT } from "../repository.ts";

const sideSchema = z.enum(["agent", "backend"]);

/** What a request or its answer carried: JSON, or a text, which is empty where there was nothing. */
const payloadSchema = z.json();

const requestSchema = z.object({
  kind: z.literal("request"),
  from: sideSchema,
  name: z.string(),
  payload: payloadSchema,
  reply: z.object({ ok: z.boolean(), payload: payloadSchema }),
});

const noticeSchema = z.object({
  kind: z.literal("notice"),
  from: sideSchema,
  name: z.string(),
  payload: payloadSchema,
});

const openingSchema = z.object({
  kind: z.literal("open"),
  from: sideSchema,
  type: z.string(),
  extra: z.string(),
});

const messageSchema = z.discriminatedUnion("kind", [requestSchema, noticeSchema, openingSchema]);

const sessionSchema = z.object({
  login: z.object({ user: z.string(), password: z.string() }),
  messages: z.array(messageSchema),
});

const recordingSchema = z.object({
  /** The version of the agent and of the backend that were recorded. */
  version: z.string(),
  /** The commit that both were built of. */
  commit: z.string(),
  sessions: z.array(sessionSchema),
});

/** A request with its answer. */
export type RecordedRequest = z.infer<typeof requestSchema>;
/** A request that wants no answer. */
export type RecordedNotice = z.infer<typeof noticeSchema>;
/** Anything that one side sent. */
export type RecordedMessage = z.infer<typeof messageSchema>;
/** One connection, from its login on. */
export type RecordedSession = z.infer<typeof sessionSchema>;
/** What an agent and a backend of a release said to each other, in order. */
export type WireRecording = z.infer<typeof recordingSchema>;

/** What stands in a recording for a port that only a test knows. */
export const PORTS = { echo: "{echo}", closed: "{closed}", asked: "{asked}" } as const;

/** A port for each of them. */
export type RecordedPorts = Readonly<Record<keyof typeof PORTS, number>>;

/** The recording of a release, with ports of this machine in it. */
export async function wireRecording(name: string, ports: RecordedPorts): Promise<WireRecording> {
  let text = await readFile(join(ROOT, "test/fixtures", `${name}.json`), "utf8");
  for (const key of ["echo", "closed", "asked"] as const) {
    text = text.replaceAll(PORTS[key], String(ports[key]));
  }
  return recordingSchema.parse(JSON.parse(text));
}

/** The requests of one side in a session, by their order. */
export function requestsOf(
  { messages }: RecordedSession,
  from: z.infer<typeof sideSchema>,
): RecordedRequest[] {
  return messages.filter(
    (message): message is RecordedRequest => message.kind === "request" && message.from === from,
  );
}

/** What was carried, as it was recorded. */
export function payloadOf(bytes: Buffer): z.infer<typeof payloadSchema> {
  const text = bytes.toString();
  try {
    return payloadSchema.parse(JSON.parse(text));
  } catch {
    return text;
  }
}

/** What was recorded, as it was carried. */
export function bytesOf(payload: z.infer<typeof payloadSchema>): Buffer {
  return Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload));
}

type Json = z.infer<typeof payloadSchema>;

const kindOf = (value: Json): string => (Array.isArray(value) ? "array" : typeof value);

/**
 * Where a value lacks something that another one has, or has another kind of thing there: paths such as
 * `.Features[0]`. More than the other one has is none; null stands for anything, as with Go.
 */
export function lackingIn(value: Json | undefined, wanted: Json, path = ""): string[] {
  if (value === undefined) return [`${path}: missing`];
  if (value === null || wanted === null) return [];
  if (kindOf(value) !== kindOf(wanted)) {
    return [`${path}: ${kindOf(value)} instead of ${kindOf(wanted)}`];
  }
  if (Array.isArray(value) && Array.isArray(wanted)) {
    const [first, other] = [value[0], wanted[0]];
    if (first === undefined || other === undefined) return [];
    return lackingIn(first, other, `${path}[0]`);
  }
  if (typeof value !== "object" || typeof wanted !== "object") return [];
  const fields = new Map(Object.entries(value));
  return Object.entries(wanted).flatMap(([key, one]) =>
    lackingIn(fields.get(key), one, `${path}.${key}`),
  );
}
