import type { Client } from "@rport/protocol/model";
import type { RecordingState, RecordingView } from "@rport/protocol/terminal/recording";
import { t } from "@vscode/l10n";
import { plainText } from "../../support/text.ts";
import { displayName } from "../arrange.ts";
import { dateAndTime, duration } from "../relativeTime.ts";

/** A recording as people choose it. */
export interface RecordingText {
  /** Who, where. */
  readonly label: string;
  /** When, how long. */
  readonly description: string;
  /** What is not as it should be; empty: nothing. */
  readonly detail: string;
}

/** The client of a recording as the editor knows it now; undefined: it has gone. */
type RecordedClient = Pick<Client, "id" | "name" | "hostname"> | undefined;

/** Who recorded what, when and for how long, in texts that nothing is hidden in. */
export function recordingText(recording: RecordingView, client: RecordedClient): RecordingText {
  const { owner, hostname, account, state } = recording;
  const name = hostOf(recording, client);
  const own = plainText(hostname ?? "");
  const host = own === "" || own === name ? name : t("{0} ({1})", name, own);
  const who = plainText(owner ?? "");
  const label =
    who === ""
      ? t("A recording that cannot be read")
      : t("{0} on {1} as {2}", who, host, plainText(account ?? ""));
  return { label, description: whenText(recording), detail: stateText(state) };
}

/** What its terminal is called. */
export function recordingName(recording: RecordingView, client: RecordedClient): string {
  return t("{0} (recording)", hostOf(recording, client) || "?");
}

/** Whether a terminal is called as those of recordings are. */
export function isRecordingName(name: string): boolean {
  return name.endsWith(t("{0} (recording)", ""));
}

/** As people know the client; what it called itself then, where it has gone. */
function hostOf({ hostname, client_id: id }: RecordingView, client: RecordedClient): string {
  return plainText(client === undefined ? hostname || id || "" : displayName(client));
}

function whenText({ started_at: from, ended_at: to, part }: RecordingView): string {
  if (from === null) return "";
  const fromMs = Date.parse(from);
  const long = to === null ? "" : duration(Math.max(0, Date.parse(to) - fromMs));
  const parts = part === 1 ? "" : t("part {0}", part);
  return [dateAndTime(fromMs), long, parts].filter(Boolean).join(", ");
}

function stateText(state: RecordingState): string {
  switch (state) {
    case "running":
      return t("Its terminal is still open.");
    case "unfinished":
      return t("It has no end: the server was killed, or it was cut off.");
    case "altered":
      return t("It was altered on the server.");
    case "whole":
      return "";
  }
}
