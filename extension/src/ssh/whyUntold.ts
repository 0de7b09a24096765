import { RportError } from "@rport/protocol/errors";
import { t } from "@vscode/l10n";
import { plainText } from "../support/text.ts";
import { type Findable, findHost } from "./findHost.ts";

/** What `ssh` is told, as whoever writes it knows. */
export interface Told {
  /** The names by which it is told of a host, by its handle, the plainest first; none: it is not. */
  readonly aliasesOf: (handle: string) => Promise<readonly string[]>;
  /** Whether there was no place for a host, by its handle. */
  readonly isLeft: (handle: string) => boolean;
  /** Somebody waits for what there is to tell. */
  readonly hurry: () => void;
}

/**
 * Why `ssh` was told of no host that is called so, letter by letter: as `findHost` throws; `UNAVAILABLE` when it is
 * about to be told, and then it is without delay; `TOO_LARGE` when there is no place for that host; `NOT_FOUND` when
 * it is told of it by other names, with what to type.
 */
export async function whyUntold(asked: string, hosts: Findable, told: Told): Promise<RportError> {
  try {
    return await look(asked, hosts, told);
  } catch (error) {
    return RportError.from(error);
  }
}

async function look(asked: string, hosts: Findable, told: Told): Promise<RportError> {
  const { host, handle, aliases } = findHost(asked, hosts);
  // says which others have its handle
  if (aliases.length === 0) findHost(handle, hosts);
  const written = await told.aliasesOf(handle);
  const [plainest] = written;
  if (plainest === undefined && (told.isLeft(handle) || !hosts.all.includes(host))) return noRoom();
  const isOld = plainest !== aliases[0] && aliases.includes(asked);
  if (plainest === undefined || isOld || written.includes(asked)) {
    told.hurry();
    return soon(asked);
  }
  const small = asked.toLowerCase();
  const alias = written.find((each) => each.toLowerCase() === small);
  const sentence =
    alias === undefined
      ? t("ssh is told of {0} as {1}.", plainText(asked), plainest)
      : t("ssh takes small letters and capitals for different ones: type {0}.", alias);
  return new RportError("NOT_FOUND", sentence);
}

function soon(asked: string): RportError {
  const sentence = t("ssh will be told of {0} in a moment: try again.", plainText(asked));
  return new RportError("UNAVAILABLE", sentence);
}

function noRoom(): RportError {
  return new RportError(
    "TOO_LARGE",
    t("ssh is not told of this host, since there is no room for all hosts."),
  );
}
