import type { ReportedFacts } from "@rport/protocol/pairing/report";
import { reportProof, type TokenParts } from "@rport/protocol/sealing";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import { VERSION } from "@rport/protocol/version";
import { postJson } from "./post.ts";
import { serviceUrl } from "./serviceUrl.ts";

/** Largest texts of a report, in characters. */
const STEP_MAX = 200;
const TEXT_MAX = 500;

/** Who reports, and where. */
export interface ReporterDeps {
  /** The pairing service, with or without a path. */
  readonly service: URL;
  /** What its TLS key has to be; empty: what its certificate says counts. */
  readonly pins: readonly TlsPin[];
  readonly parts: TokenParts;
  readonly claimant: string;
  readonly clientId: string;
  readonly hostname: string;
}

/** What happened to an installation; `step` and `text` say where and why it failed. */
export type InstallReport =
  | { readonly kind: "installed" }
  | { readonly kind: "failed"; readonly step: string; readonly text: string };

/** Tells whoever waits for a host how its installation goes on. Never rejects. */
export type Reporter = (report: InstallReport) => Promise<void>;

/** Reports with the proof that the token gives. Whether anybody hears it changes nothing here. */
export function reporterOf(deps: ReporterDeps): Reporter {
  return async (report) => {
    const facts = factsOf(deps, report);
    const proof = reportProof(deps.parts, facts);
    const url = serviceUrl(deps.service, "pair/v1/report");
    const manner = { userAgent: `rport-agent ${VERSION}`, pins: deps.pins };
    await postJson(url, { ...facts, proof }, manner).catch(() => undefined);
  };
}

function factsOf(
  { parts: { id }, claimant, clientId, hostname }: ReporterDeps,
  report: InstallReport,
): ReportedFacts {
  const { kind } = report;
  const [step, text] = kind === "failed" ? [report.step, report.text] : ["", ""];
  return {
    id,
    claimant,
    kind,
    client_id: clientId,
    hostname,
    step: step.slice(0, STEP_MAX),
    text: text.slice(0, TEXT_MAX),
  };
}
