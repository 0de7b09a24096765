import type { Client } from "@rport/protocol/model";
import type { RecordingView } from "@rport/protocol/terminal/recording";
import { t } from "@vscode/l10n";
import { type QuickPickItem, window } from "vscode";
import { recordingText } from "../../model/terminals/recordingText.ts";
import type { Server } from "../../servers/server.ts";
import type { CommandInput } from "../registry.ts";
import type { Targets } from "../targets/targets.ts";

/** So many are offered at a time. */
const OFFERED_MAX = 100;

/** A recording that somebody chose. */
export interface ChosenRecording {
  readonly server: Server;
  readonly recording: RecordingView;
}

interface Choice extends QuickPickItem {
  /** Undefined: none of these, but an older one. */
  readonly recording: RecordingView | undefined;
}

/** Asks for a recording: of the client whose row it was asked on, or else of all clients of a server. */
export async function pickRecording(
  input: CommandInput,
  targets: Targets,
  title: string,
): Promise<ChosenRecording | undefined> {
  const { node } = input;
  const fits = (one: Server) => one.state.kind === "connected" && one.may("administrator");
  const server = await targets.server(input, t("Recordings of which server?"), fits);
  if (server === undefined) return undefined;
  const filter = node?.kind === "client" ? { "filter[client_id]": node.clientId } : {};
  for (let offset = 0; ; offset += OFFERED_MAX) {
    const found = await newest(server, { filter, offset });
    if (found.length === 0 && offset === 0) {
      await tellNone();
      return undefined;
    }
    const options = { title, matchOnDescription: true, matchOnDetail: true };
    const chosen = await window.showQuickPick(choicesOf(found, server), options);
    if (chosen === undefined) return undefined;
    const { recording } = chosen;
    if (recording !== undefined) return { server, recording };
  }
}

/** The newest ones behind so many, and one more where there are older ones. */
async function newest(
  { api }: Server,
  { filter, offset }: { readonly filter: Record<string, string>; readonly offset: number },
): Promise<readonly RecordingView[]> {
  const page = { "page[limit]": String(OFFERED_MAX + 1), "page[offset]": String(offset) };
  return await api.call("listRecordings", { query: { ...filter, sort: "-started_at", ...page } });
}

/** The client of a recording as the editor knows it now; undefined: it has gone. */
export function recordedClient({ server, recording }: ChosenRecording): Client | undefined {
  const { client_id: id } = recording;
  return id === null ? undefined : server.mirror.maps.clients.get(id);
}

function choicesOf(found: readonly RecordingView[], server: Server): readonly Choice[] {
  const choices = found.slice(0, OFFERED_MAX).map((recording): Choice => {
    const client = recordedClient({ server, recording });
    return { ...recordingText(recording, client), recording };
  });
  if (found.length <= OFFERED_MAX) return choices;
  return [...choices, { label: t("Older ones..."), alwaysShow: true, recording: undefined }];
}

/** Says that there is none, and what would make some. */
async function tellNone(): Promise<void> {
  const detail = t(
    "What terminals show is recorded where the server's configuration has record = true in [terminals], or a group of clients has record_terminals.",
  );
  const question = t("There are no recordings of terminals here.");
  await window.showInformationMessage(question, { modal: true, detail });
}
