import type { SheetState } from "@rport/protocol/sheet";
import type { Words } from "./words.ts";

/** How the state chip looks. */
export type Tone = "neutral" | "good" | "bad";

/** The chip's text and tone, and the sentence below the command. */
export interface Status {
  readonly chip: string;
  readonly tone: Tone;
  /** Empty while the countdown says it all. */
  readonly sentence: string;
}

/** Says in words where a pairing stands; each kind of end is told apart. */
export function statusOf({ pairing }: SheetState, words: Words): Status {
  switch (pairing.kind) {
    case "creating":
      return { chip: words("creating"), tone: "neutral", sentence: "" };
    case "waiting":
      return { chip: words("waiting"), tone: "neutral", sentence: "" };
    case "claimed":
      return {
        chip: words("claimed", pairing.hostname),
        tone: "neutral",
        sentence: words("claimedHint", pairing.hostname, pairing.address),
      };
    case "connected":
      return {
        chip: words("connected", pairing.name),
        tone: "good",
        sentence: words("connectedHint", pairing.name, pairing.os, pairing.address),
      };
    case "expired":
      return { chip: words("expired"), tone: "bad", sentence: words("expiredHint") };
    case "revoked":
      return { chip: words("revoked"), tone: "bad", sentence: words("revokedHint") };
    case "failed":
      return {
        chip: words("failed"),
        tone: "bad",
        sentence: words("failedHint", pairing.reason, pairing.requestId),
      };
  }
}

/** Whether the command can still install a host: only then may it be copied. */
export function isUsable({ pairing }: SheetState): boolean {
  return pairing.kind === "waiting";
}
