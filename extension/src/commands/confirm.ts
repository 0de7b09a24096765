import { type MessageItem, window } from "vscode";
import { plainText } from "../support/text.ts";

/** What somebody is asked before something happens that others feel. */
export interface Confirmation {
  readonly question: string;
  /** What it hits, a line each. */
  readonly lines: readonly string[];
  /** Says what it does. */
  readonly button: string;
  /** Something harmless that may be meant instead; then it is what Enter chooses. */
  readonly instead?: string | undefined;
  /** Whether nobody loses anything by it, so that nobody need be warned. */
  readonly isHarmless?: boolean;
  /** Stands for "Cancel" where that word would be taken for the act itself. */
  readonly keep?: string;
}

/** Asks in a dialog. Answers which button was pressed; undefined: nothing is to happen. */
export async function confirm(asked: Confirmation): Promise<"act" | "instead" | undefined> {
  const { question, lines, button, instead, keep, isHarmless = false } = asked;
  const items: MessageItem[] = [
    ...(instead === undefined ? [] : [{ title: instead }]),
    { title: button },
    ...(keep === undefined ? [] : [{ title: keep, isCloseAffordance: true }]),
  ];
  const detail = lines.filter((line) => line !== "").join("\n");
  const options = { modal: true, detail };
  const chosen = isHarmless
    ? await window.showInformationMessage(question, options, ...items)
    : await window.showWarningMessage(question, options, ...items);
  if (chosen?.title === button) return "act";
  return instead !== undefined && chosen?.title === instead ? "instead" : undefined;
}

/** Names the servers of what is acted on, as they stand in a question. */
export function serversOf(targets: readonly { readonly server: { readonly name: string } }[]) {
  return [...new Set(targets.map(({ server }) => plainText(server.name)))].join(", ");
}
