import type { HostStage, SheetHost, SheetState } from "@rport/protocol/sheet";
import { moment } from "./moment.ts";
import type { WordKey, Words } from "./words.ts";

/** How the state chip looks. */
export type Tone = "neutral" | "good" | "bad";

/** The chip's text and tone, and the sentence that goes with it. */
export interface Status {
  readonly chip: string;
  readonly tone: Tone;
  /** Empty while the countdown says it all. */
  readonly sentence: string;
  /** The server's own words, or what is odd; empty: none. */
  readonly quote: string;
}

interface StageLook {
  readonly chip: WordKey;
  readonly hint: WordKey;
  readonly tone: Tone;
}

const STAGES: Readonly<Record<HostStage, StageLook>> = {
  claimed: { chip: "claimed", hint: "claimedHint", tone: "neutral" },
  installed: { chip: "installed", hint: "installedHint", tone: "neutral" },
  approval: { chip: "approval", hint: "approvalHint", tone: "bad" },
  connected: { chip: "connected", hint: "connectedHint", tone: "good" },
  refused: { chip: "refused", hint: "refusedHint", tone: "bad" },
  failed: { chip: "hostFailed", hint: "hostFailedHint", tone: "bad" },
  silent: { chip: "silent", hint: "silentHint", tone: "bad" },
  offline: { chip: "offline", hint: "offlineHint", tone: "neutral" },
  hostRevoked: { chip: "hostRevoked", hint: "hostRevokedHint", tone: "bad" },
  deleted: { chip: "deleted", hint: "deletedHint", tone: "neutral" },
};

/** Says in words how far a host has come. */
export function hostStatus(host: SheetHost, words: Words): Status {
  const { chip, hint, tone } = STAGES[host.stage];
  const { name, address, at, os, text } = host;
  return {
    chip: words(chip, name),
    tone,
    sentence: words(hint, name, address, moment(at, words), os),
    quote: text,
  };
}

/** The one host that a line for one host is about; undefined: there is none yet, or there are several. */
export function onlyHost({ uses, hosts }: SheetState): SheetHost | undefined {
  return uses === 1 && hosts.length === 1 ? hosts[0] : undefined;
}

/** Says in words where the sheet stands; each kind of end is told apart. */
export function statusOf(state: SheetState, words: Words): Status {
  const host = onlyHost(state);
  if (host !== undefined && state.line.kind !== "credentialGone") return hostStatus(host, words);
  const line = lineStatus(state, words);
  const { hosts, uses } = state;
  if (hosts.length === 0 && uses === 1) return line;
  if (state.line.kind === "creating" || state.line.kind === "failed") return line;
  const there = hosts.filter(({ stage }) => stage === "connected").length;
  const chip = words("waitingHosts", String(there), String(Math.max(uses, hosts.length)));
  return { ...line, chip, tone: there >= uses ? "good" : "neutral" };
}

function lineStatus({ line, hosts }: SheetState, words: Words): Status {
  const say = (tone: Tone, chip: WordKey, sentence = ""): Status => ({
    chip: words(chip),
    tone,
    sentence,
    quote: "",
  });
  switch (line.kind) {
    case "creating":
      return say("neutral", "creating");
    case "open":
      return say("neutral", "waiting");
    case "used":
      return say("neutral", "used", words("usedHint"));
    case "expired": {
      const hint = hosts.length > 0 ? "expiredHostsHint" : "expiredHint";
      return say("bad", "expired", words(hint, moment(line.at, words)));
    }
    case "revoked":
      return say("bad", "revoked", words("revokedHint"));
    case "lost":
      return say("neutral", "lost", words("lostHint"));
    case "over":
      return say("neutral", "over", words("overHint"));
    case "credentialGone":
      return say("bad", "credentialGone", words("credentialGoneHint"));
    case "failed": {
      const hint = line.isService ? "serviceFailedHint" : "failedHint";
      return say("bad", "failed", words(hint, line.reason, line.requestId));
    }
  }
}

/** Whether the line can still install a host. */
export function isOpen({ line }: SheetState): boolean {
  return line.kind === "open";
}

/** Whether an option stands in the way of a line. */
export function isWrong({ problems }: SheetState): boolean {
  return Object.keys(problems).length > 0;
}

/** Whether the line may be copied: it can install a host, and is what the options say. */
export function isUsable(state: SheetState): boolean {
  return isOpen(state) && !isWrong(state);
}

/** Whether the line is of no interest any more: its host is there, or nothing would come of it. */
export function isLineDone(state: SheetState): boolean {
  const { kind } = state.line;
  if (kind === "credentialGone") return true;
  return onlyHost(state) !== undefined && kind !== "creating" && kind !== "failed";
}
