import { z } from "zod";
import { pairingIdSchema } from "../ids.ts";
import { base64url } from "./base64url.ts";

/**
 * `POST /pair/v1/report`: how an installation goes on after its claim, for whoever waits for it.
 * `proof` is HMAC-SHA-256 over label, id, claimant and the report with the claim key of the token, so
 * nobody else can say it. It changes nothing but what people are shown.
 */
export const pairingReportSchema = z.strictObject({
  id: pairingIdSchema,
  claimant: base64url(22),
  proof: base64url(43),
  kind: z.enum(["installed", "failed"]),
  client_id: z.string().max(128),
  hostname: z.string().max(255),
  /** Of `failed`: what it was about to do, such as `write /usr/local/bin/rport-agent`. */
  step: z.string().max(200).default(""),
  /** Of `failed`: what the person at the host was told. */
  text: z.string().max(500).default(""),
});

/** How an installation goes on. */
export type PairingReport = z.infer<typeof pairingReportSchema>;

/** What of a report its proof is about. */
export type ReportedFacts = Omit<PairingReport, "proof">;

/** Largest body of a report, in bytes. */
export const REPORT_MAX_BYTES = 8_192;
