import { type LinuxCommandParts, shellQuote } from "./commands.ts";
import { FETCH, SHA256_TOOLS, scriptLine } from "./posixLine.ts";
import { powershellLine } from "./windowsCommand.ts";

/** What the line to paste is made of where RPort's own pairing service hands out the script. */
export interface RportCommandParts extends Pick<LinuxCommandParts, "tool" | "sudo" | "flags"> {
  /** The service's address with its code. */
  readonly url: string;
  /** SHA-256 of its script as it was right after the deposit, 64 hexadecimal digits. */
  readonly sha256: string;
}

/** The longest script in bytes that RPort's pairing service hands out; its own have some 60 kB. */
export const RPORT_SCRIPT_MAX_BYTES = 1_048_576;

/**
 * The line to paste on a Linux host: fetches the script of RPort's pairing service, has whoever runs it
 * check that it is the one that was looked at, runs it, and removes it, because a password stands in it.
 */
export function rportLinuxCommand({ url, sha256, tool, sudo, flags }: RportCommandParts): string {
  return scriptLine({
    fetch: FETCH[tool](""),
    script: shellQuote(url),
    sha256,
    hasher: SHA256_TOOLS.linux,
    maxBytes: RPORT_SCRIPT_MAX_BYTES,
    sudo,
    args: flags.map((flag) => ` ${shellQuote(flag)}`).join(""),
  });
}

/** By this word in a request the service knows that its script for Windows is wanted. */
export const RPORT_POWERSHELL = "PowerShell";

/**
 * The same for an elevated PowerShell on Windows. The service tells by the name of the one that asks which
 * of its scripts to hand out.
 */
export function rportWindowsCommand({
  url,
  sha256,
}: Pick<RportCommandParts, "url" | "sha256">): string {
  return powershellLine({
    scriptUrl: url,
    sha256,
    maxBytes: RPORT_SCRIPT_MAX_BYTES,
    prepare: [`$w.Headers['User-Agent']='${RPORT_POWERSHELL}'`],
    // That script goes on after some of its errors, as PowerShell does unless it is told otherwise.
    run: ["$ErrorActionPreference='Continue'", "& $f"],
  });
}
