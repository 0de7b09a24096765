import { RportError } from "@rport/protocol/errors";
import { t } from "@vscode/l10n";

/** What every version of OpenSSH takes for itself between double quotes, in a name that may be a pattern, too. */
const SAYABLE = /^[\p{L}\p{N} ._\-/+@:,=()~]+$/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/;

/** A path for `Include`. Throws `BAD_REQUEST` for one that not every version of OpenSSH would take for itself. */
export function includePath(path: string): string {
  const slashed = process.platform === "win32" ? path.replaceAll("\\", "/") : path;
  if (SAYABLE.test(slashed)) return `"${slashed}"`;
  throw new RportError(
    "BAD_REQUEST",
    t("The path {0} holds characters that ssh cannot be told.", path),
  );
}

/** A text that a POSIX shell, and those that are like it, take for one word. Throws `BAD_REQUEST` for several lines. */
export function shellWord(text: string): string {
  refuseControl(text);
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A path that Windows takes for the name of a program, whoever reads the line. Throws as `shellWord`. */
export function windowsWord(path: string): string {
  refuseControl(path);
  return `"${path.replaceAll("\\", "/")}"`;
}

/** A path within a batch file. Throws as `shellWord`. */
export function batchText(path: string): string {
  refuseControl(path);
  return path.replaceAll("%", "%%");
}

/** A text in which `ssh` looks for nothing to put in. */
export function withoutTokens(text: string): string {
  return text.replaceAll("%", "%%");
}

function refuseControl(text: string): void {
  if (!CONTROL.test(text)) return;
  throw new RportError(
    "BAD_REQUEST",
    t("A path holds control characters, which ssh cannot be told."),
  );
}
