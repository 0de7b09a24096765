import { createHash } from "node:crypto";
import { scriptPath } from "@rport/protocol/commands";
import { RportError } from "@rport/protocol/errors";
import type { NewPairing } from "@rport/protocol/pairing/endpoints";
import { t } from "@vscode/l10n";
import type { Api } from "../api/http.ts";

/** An installer script is a few dozen kilobytes. */
const SCRIPT_MAX_BYTES = 1_000_000;

/** What a server says of a pairing's script. */
export interface NamedScript extends Pick<NewPairing, "script_url" | "script_sha256"> {
  readonly pairing: Pick<NewPairing["pairing"], "id">;
  /** Whether it is the one for PowerShell. */
  readonly isForWindows?: boolean;
}

/**
 * The script that a pairing's line runs, as the server itself has it: whatever address the server
 * names, no other is asked. Throws `INTERNAL` when it is not the script that the line checks for.
 */
export async function readScript(
  api: Pick<Api, "text">,
  { pairing, script_url: url, script_sha256: expected, isForWindows = false }: NamedScript,
): Promise<string> {
  const path = scriptPath(pairing.id) + (isForWindows ? "?os=windows" : "");
  const text = await api.text(path, SCRIPT_MAX_BYTES).catch((error: unknown) => {
    if (!(error instanceof RportError) || error.code !== "NOT_FOUND") throw error;
    const why = t(
      "This server has its script at {0} only, which this editor does not ask.",
      new URL(url).host,
    );
    throw new RportError("NOT_FOUND", why, { cause: error });
  });
  if (createHash("sha256").update(text).digest("hex") === expected) return text;
  throw new RportError(
    "INTERNAL",
    t("The server's script is not the one that the line checks for."),
  );
}
