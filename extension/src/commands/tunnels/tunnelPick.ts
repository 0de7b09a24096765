import { RportError } from "@rport/protocol/errors";
import type { HostPort } from "@rport/protocol/remote";
import type { ListeningPorts } from "@rport/protocol/tunnels/listening";
import { t } from "@vscode/l10n";
import {
  type QuickInputButton,
  type QuickPick,
  type QuickPickItem,
  QuickPickItemKind,
  ThemeIcon,
  window,
} from "vscode";
import {
  type KnownTargets,
  type OfferedTarget,
  targetLabel,
  targetSections,
} from "../../model/tunnels/targets.ts";
import { pause, systemClock } from "../../support/clock.ts";
import { plainText } from "../../support/text.ts";

/** Where a new tunnel leads, and the local port if one was asked for. */
export interface TunnelChoice {
  readonly remote: HostPort;
  readonly localPort: number | undefined;
}

/** Whom a tunnel is opened to, and what is known of it. */
export interface TunnelPickDeps {
  readonly clientName: string;
  /** Where tunnels to it led before, the latest first. */
  readonly recent: readonly HostPort[];
  /** Comes while the question is open; rejects where it is not told. */
  readonly listening: Promise<ListeningPorts>;
}

interface Choice extends QuickPickItem {
  /** Undefined: a heading, or a hint. */
  readonly remote: HostPort | undefined;
}

/** What has been learned by now. */
interface Learned extends KnownTargets {
  /** Why it is not told what listens; empty while it may be yet, and where nobody need know. */
  readonly whyNotTold: string;
}

const CHOOSE_PORT: QuickInputButton = {
  iconPath: new ThemeIcon("settings"),
  tooltip: t("Choose the Local Port..."),
};
/** Which row has the focus is heard of a moment after a key was pressed. */
const SETTLE_MS = 100;
/** A server that does not have the question is older; there is nothing to say about the host. */
const OLD_SERVER = new Set(["NOT_BUILT", "NOT_FOUND"]);

/**
 * Asks in one step where a tunnel to a client leads: a place of before, what listens there, a common
 * port, any port, or host:port. What listens is filled in when it is told; the row that has the
 * focus keeps it.
 */
export async function pickTunnel(deps: TunnelPickDeps): Promise<TunnelChoice | undefined> {
  const { clientName, recent, listening } = deps;
  const pick = window.createQuickPick<Choice>();
  let learned: Learned = { recent, listening: undefined, whyNotTold: "" };
  let isOver = false;
  const learn = async (news: Partial<Learned>) => {
    await pause(SETTLE_MS, systemClock);
    if (isOver) return;
    learned = { ...learned, ...news };
    pick.busy = false;
    refill(pick, choicesFor(learned, pick.value));
  };
  pick.title = t("Open Tunnel to {0}", clientName);
  pick.placeholder = t("Port, or host:port as seen from the client");
  pick.busy = true;
  pick.keepScrollPosition = true;
  pick.items = choicesFor(learned, "");
  pick.onDidChangeValue((value) => {
    pick.items = choicesFor(learned, value);
  });
  listening.then(
    ({ ports }) => learn({ listening: ports }),
    (error: unknown) => learn({ whyNotTold: whyNotTold(error) }),
  );
  try {
    const picked = await answerOf(pick, () => choicesFor(learned, pick.value));
    if (picked?.remote === undefined) return undefined;
    if (!picked.asksPort) return { remote: picked.remote, localPort: undefined };
    const localPort = await askLocalPort(picked.remote.port);
    return localPort === undefined ? undefined : { remote: picked.remote, localPort };
  } finally {
    isOver = true;
    pick.dispose();
  }
}

/** Other entries; the one that has the focus keeps it, wherever it is now. */
function refill(pick: QuickPick<Choice>, items: readonly Choice[]): void {
  const [focused] = pick.activeItems;
  pick.items = items;
  const same = items.find(({ remote, label }) => remote !== undefined && label === focused?.label);
  if (same !== undefined) pick.activeItems = [same];
}

/** What is offered for the text typed so far, else what could be typed. */
function choicesFor({ whyNotTold: why, ...known }: Learned, typed: string): readonly Choice[] {
  const sections = targetSections(known, typed).flatMap(({ heading, targets }) => [
    ...headingOf(heading),
    ...targets.map(choiceOf),
  ]);
  const isSaid = why !== "" && typed.trim() === "";
  const reason = isSaid ? [{ ...noteOf(why), iconPath: new ThemeIcon("info") }] : [];
  if (sections.length > 0) return [...sections, ...reason];
  return [noteOf(t("Type a port, or host:port as seen from the client"))];
}

function headingOf(label: string): readonly Choice[] {
  return label === "" ? [] : [{ label, kind: QuickPickItemKind.Separator, remote: undefined }];
}

/** A row that says something, and leads nowhere. */
function noteOf(label: string): Choice {
  return { label, remote: undefined, alwaysShow: true };
}

function choiceOf({ remote, description }: OfferedTarget): Choice {
  const label = targetLabel(remote);
  return { label, description, remote, buttons: [CHOOSE_PORT], alwaysShow: true };
}

function whyNotTold(error: unknown): string {
  const { code, message } = RportError.from(error);
  return OLD_SERVER.has(code) ? "" : plainText(message);
}

function answerOf(pick: QuickPick<Choice>, choices: () => readonly Choice[]) {
  return new Promise<{ remote: HostPort | undefined; asksPort: boolean } | undefined>((resolve) => {
    pick.onDidAccept(() => {
      // Enter may come before the editor has the entries for what was typed last
      const first = choices().find(({ remote }) => remote !== undefined);
      const chosen = pick.selectedItems[0] ?? (pick.value === "" ? undefined : first);
      if (chosen?.remote !== undefined) resolve({ remote: chosen.remote, asksPort: false });
    });
    pick.onDidTriggerItemButton(({ item }) => resolve({ remote: item.remote, asksPort: true }));
    pick.onDidHide(() => resolve(undefined));
    pick.show();
  });
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

async function askLocalPort(suggested: number): Promise<number | undefined> {
  const text = await window.showInputBox({
    title: t("Local Port"),
    prompt: t("Port of this computer on which the tunnel answers"),
    value: String(suggested),
    validateInput: (value) =>
      isPort(value) ? undefined : t("A port is a number from 1 to 65535."),
  });
  return text === undefined ? undefined : Number(text);
}
