import type { IncomingMessage } from "node:http";
import { INSTALLER_NAMES } from "@rport/protocol/commands";
import { PAIRING_REFUSED } from "@rport/protocol/pairing";
import type { Response } from "express";

/** The shells that installer scripts are written for: POSIX ones, and PowerShell. */
export type ScriptKind = "sh" | "ps1";

/** Which of them a platform has. */
const KIND_OF: ReadonlyMap<string, ScriptKind> = new Map([
  ["linux", "sh"],
  ["macos", "sh"],
  ["windows", "ps1"],
]);

/** Programs that fail: a caller that runs whatever it was answered must not report success. */
const REFUSED = {
  sh: Buffer.from(`#!/bin/sh\necho '${PAIRING_REFUSED}' >&2\nexit 4\n`),
  ps1: Buffer.from(`[Console]::Error.WriteLine('${PAIRING_REFUSED}')\r\nexit 4\r\n`),
} as const satisfies Record<ScriptKind, Buffer>;

const HEADERS = {
  sh: { type: "text/x-shellscript; charset=UTF-8", name: INSTALLER_NAMES.sh },
  ps1: { type: "text/plain; charset=UTF-8", name: INSTALLER_NAMES.ps1 },
} as const satisfies Record<ScriptKind, { readonly type: string; readonly name: string }>;

/** Which script a request wants: `?os=linux|macos|windows` says it, and else PowerShell by its name. */
export function scriptKindOf({ url = "", headers }: IncomingMessage): ScriptKind {
  const os = new URLSearchParams(url.split("?")[1] ?? "").get("os") ?? "";
  return KIND_OF.get(os) ?? (headers["user-agent"]?.includes("PowerShell") ? "ps1" : "sh");
}

/** Answers with a script, or, undefined, with a program in its place that fails. */
export function sendScript(
  response: Response,
  { kind, script }: { readonly kind: ScriptKind; readonly script: Buffer | undefined },
): void {
  const body = script ?? REFUSED[kind];
  response.statusCode = script === undefined ? 404 : 200;
  response.setHeader("Content-Type", HEADERS[kind].type);
  response.setHeader("Content-Disposition", `attachment; filename="${HEADERS[kind].name}"`);
  response.setHeader("Content-Length", body.length);
  response.end(body);
}
