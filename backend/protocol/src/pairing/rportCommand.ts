import { type LinuxCommandParts, shellQuote, tidyLine } from "./commands.ts";
import { powershellLine } from "./windowsCommand.ts";

/** What the line to paste is made of where RPort's own pairing service hands out the script. */
export interface RportCommandParts extends Pick<LinuxCommandParts, "tool" | "sudo" | "flags"> {
  /** The service's address with its code. */
  readonly url: string;
  /** SHA-256 of its script as it was right after the deposit, 64 hexadecimal digits. */
  readonly sha256: string;
}

/**
 * The line to paste on a Linux host: fetches the script of RPort's pairing service, checks that it is the
 * one that was looked at, runs it, and removes it, because a password stands in it.
 */
export function rportLinuxCommand({ url, sha256, tool, sudo, flags }: RportCommandParts): string {
  const fetch = tool === "curl" ? "curl -fsSL -o" : "wget -q -O";
  const words = flags.map((flag) => ` ${shellQuote(flag)}`).join("");
  const steps = [
    "d=$(mktemp -d)",
    `${fetch} "$d/i" ${shellQuote(url)}`,
    `echo '${sha256}  '"$d/i" | sha256sum -c - >/dev/null`,
    `${sudo ? "sudo " : ""}sh "$d/i"${words}`,
  ];
  return tidyLine(steps, 'rm -rf "$d"');
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
    prepare: [`$w.Headers['User-Agent']='${RPORT_POWERSHELL}'`],
    // That script goes on after some of its errors, as PowerShell does unless it is told otherwise.
    run: ["$ErrorActionPreference='Continue'", "& $f"],
  });
}
