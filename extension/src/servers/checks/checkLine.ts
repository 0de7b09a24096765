import { t } from "@vscode/l10n";
/** What one step of a check of a connection found. */
export interface CheckLine {
  /** What was looked at, in a word or two. */
  readonly name: string;
  /** `note`: it works, and something about it is worth knowing. */
  readonly verdict: "ok" | "note" | "failed";
  /** A sentence. */
  readonly text: string;
}

const MARKS: Readonly<Record<CheckLine["verdict"], string>> = { ok: "-", note: "!", failed: "x" };

/** The document about a check: what it comes to, then a line for each step. */
export function checkText(title: string, lines: readonly CheckLine[]): string {
  const failed = lines.find(({ verdict }) => verdict === "failed");
  const notes = lines.filter(({ verdict }) => verdict === "note");
  const sum =
    failed?.text ??
    (notes.length === 0 ? t("Everything works.") : notes.map(({ text }) => text).join("\n"));
  const width = Math.max(0, ...lines.map(({ name }) => name.length)) + 1;
  const steps = lines.map(({ name, verdict, text }) => {
    return `${MARKS[verdict]} ${`${name}:`.padEnd(width)} ${text}`;
  });
  return [`# ${title}`, "", sum, "", ...steps, ""].join("\n");
}
