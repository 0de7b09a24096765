import { type ErrorCode, RportError } from "@rport/protocol/errors";
import { t } from "@vscode/l10n";
import { window } from "vscode";
import { plural } from "../support/plural.ts";
import { nameSome, plainText } from "../support/text.ts";

/** What servers say of something that is not there. */
const ABSENT: ReadonlySet<ErrorCode> = new Set(["NOT_FOUND", "ERR_CODE_CLIENT_AUTH_NOT_FOUND"]);
/** Names that one message has room for. */
const NAMES_MAX = 5;

/**
 * Does something to one after the other. What somebody else has taken away since it was asked about keeps nothing
 * from being done to the others, and is told at the end. Throws what else goes wrong, at once.
 */
export async function inTurn<T>(
  targets: readonly T[],
  { nameOf, act }: { nameOf(target: T): string; act(target: T): Promise<unknown> },
): Promise<void> {
  const absent: string[] = [];
  try {
    for (const target of targets) {
      if (!(await isDone(() => act(target)))) absent.push(nameOf(target));
    }
  } finally {
    if (absent.length > 0) void window.showInformationMessage(plainText(absentText(absent)));
  }
}

async function isDone(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    if (error instanceof RportError && ABSENT.has(error.code)) return false;
    throw error;
  }
}

function absentText(names: readonly string[]): string {
  const shown = nameSome(names, NAMES_MAX);
  return plural(
    names.length,
    t("{0} is not there any more: it was deleted elsewhere meanwhile.", shown),
    t("{0} are not there any more: they were deleted elsewhere meanwhile.", shown),
  );
}
