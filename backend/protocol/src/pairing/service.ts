import { z } from "zod";
import { listOf } from "../asking/untilFault.ts";
import { clientIdSchema, pairingIdSchema } from "../ids.ts";
import { printableLine } from "../log/printable.ts";
import { base64url } from "./base64url.ts";
import { hostnameSchema } from "./hostname.ts";
import { envelopeSchema } from "./pairing.ts";

/** Where servers deposit, watch and take back what hosts claim at a pairing service apart from them. */
export const SERVICE_PATH = "/pair/v1";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** 32 random bytes that a server makes for one deposit, and by which the service knows it again. */
const watchKey = base64url(43);

/** `PUT /pair/v1/deposits/<id>`: what hosts can claim. The service can open none of it. */
export const depositRequestSchema = z.strictObject({
  /** The claim key of the token, 16 bytes. */
  claim_key: base64url(22),
  watch_key: watchKey,
  expires_in: z.number().int().min(1).max(3_600),
  /** The only host that may claim it; empty: any. */
  hostname: z.union([hostnameSchema, z.literal("")]).default(""),
  uses: z
    .array(z.strictObject({ use: z.string().min(1).max(64), envelope: envelopeSchema }))
    .min(1)
    .max(100),
  /** SHA-256 of the installer scripts that the lines check for, by their kind. */
  scripts: z.strictObject({ sh: sha256, ps1: sha256.optional() }),
});

/** What a server deposits. */
export type DepositRequest = z.infer<typeof depositRequestSchema>;

/** Largest body of a deposit, in bytes: a hundred envelopes with all that fits into them. */
export const DEPOSIT_MAX_BYTES = 1_048_576;

/** `PUT /pair/v1/scripts/<sha256>`: largest installer script, in bytes. */
export const SCRIPT_MAX_BYTES = 65_536;

/** Deposits that one question may be about. */
export const ASKED_MAX = 1_000;

/**
 * `POST /pair/v1/steps`: what has happened with deposits, each named once. Answered at once when there is
 * news of any of them beyond `after`, and otherwise after `STEPS_WAIT_MS`. An answer has about a megabyte
 * of news at the most: what is left comes to the next question.
 */
export const stepsRequestSchema = z.strictObject({
  deposits: z
    .array(
      z.strictObject({
        id: pairingIdSchema,
        watch_key: watchKey,
        after: z.number().int().nonnegative(),
      }),
    )
    .max(ASKED_MAX)
    .refine((asked) => new Set(asked.map(({ id }) => id)).size === asked.length, {
      error: "names a deposit twice",
    }),
});

/** What a server asks about. */
export type StepsRequest = z.infer<typeof stepsRequestSchema>;

/** Largest body of such a question, in bytes. */
export const STEPS_REQUEST_MAX_BYTES = 262_144;
/** How long the service waits for news. */
export const STEPS_WAIT_MS = 25_000;
/** Steps of one deposit that are kept until they are asked for. */
export const SERVICE_STEPS_MAX = 300;

/** Whoever speaks for the service may be somebody else: its words are one printable line each. */
const line = (max: number) =>
  z
    .string()
    .max(max)
    .transform((words) => printableLine(words).toWellFormed());
const text = line(500);
const from = { n: z.number().int().positive(), address: line(255) };

/** One thing that happened at the service. */
export const serviceStepSchema = z.discriminatedUnion("kind", [
  z.object({ ...from, kind: z.literal("fetched") }),
  z.object({
    ...from,
    kind: z.literal("claimed"),
    use: z.string().max(64),
    client_id: clientIdSchema,
    hostname: text,
  }),
  /** `hostname`: of a host that is not the one it is for. */
  z.object({ ...from, kind: z.literal("refused"), hostname: text.nullable() }),
  z.object({
    ...from,
    kind: z.literal("reported"),
    report: z.enum(["installed", "failed"]),
    client_id: line(128),
    hostname: text,
    step: text,
    text,
  }),
  z.object({ ...from, kind: z.literal("guessed") }),
]);

/** One thing that happened at the service. */
export type ServiceStep = z.infer<typeof serviceStepSchema>;

/** The answer: of each deposit that is known, its news; `is_known` false: it is gone there. */
export const stepsAnswerSchema = z.object({
  deposits: listOf(
    z.object({
      id: pairingIdSchema,
      is_known: z.boolean(),
      steps: listOf(serviceStepSchema, { max: SERVICE_STEPS_MAX }),
    }),
    { max: ASKED_MAX },
  ),
});

/** Members and items of all objects and lists of an answer: those of a megabyte of its shortest steps. */
export const STEPS_ANSWER_MAX_MEMBERS = 100_000;

/** What a server is told. */
export type StepsAnswer = z.infer<typeof stepsAnswerSchema>;
