import { RportError } from "../errors.ts";
import { type TlsPin, tlsPinSchema } from "../tls/tlsPin.ts";
import { FETCH, SHA256_TOOLS, scriptLine } from "./posixLine.ts";
import { SCRIPT_MAX_BYTES } from "./service.ts";

/** What the pasted line is made of. */
export interface ShellCommandParts {
  /** Where the installer is fetched and the agent will connect: `http(s)://host[:port][/path]`. */
  readonly url: string;
  /** The pairing service, where that is not the server: the script is fetched and the token claimed there. */
  readonly pairingUrl?: string | undefined;
  /** The pairing's public id; the script stands at `<url>/p/<id>`. */
  readonly id: string;
  /** SHA-256 of the script, 64 lower-case hex digits. */
  readonly sha256: string;
  /**
   * What the server's TLS key is recognised by, where its certificate is trusted by nobody; what is
   * fetched from it is then fetched from the holder of that key, or not at all.
   */
  readonly tlsPin?: TlsPin | undefined;
  /** The pairing token; it travels through standard input only. */
  readonly token: string;
  /** Whether the installer runs as root; not needed with `--prefix` below one's own home. */
  readonly sudo: boolean;
  /**
   * Further arguments of the installer, unquoted, for example `--prefix`, `/home/me/rport`. One that
   * begins with `~/` is below the home of whoever pastes the line.
   */
  readonly flags: readonly string[];
}

/** What the line for Linux is made of. */
export interface LinuxCommandParts extends ShellCommandParts {
  readonly tool: "curl" | "wget";
}

/** Characters that mean nothing to any shell, wherever they stand. */
const PLAIN = /^[A-Za-z0-9_./:@%+,-]+$/;
/** Line ends would run half a line; other controls would act on the terminal. */
const CONTROL = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;
/** What every `echo` prints as it is. */
const TOKEN = /^[A-Za-z0-9]+$/;

/**
 * One argument of a POSIX shell command that yields exactly `text`. Throws `BAD_REQUEST` for
 * control characters, which cannot be pasted into a terminal.
 */
export function shellQuote(text: string): string {
  if (CONTROL.test(text)) {
    throw new RportError("BAD_REQUEST", "A command line cannot contain control characters.");
  }
  return PLAIN.test(text) ? text : alwaysQuote(text);
}

/** What people know the installer scripts by, wherever they save them: for a POSIX shell, and for PowerShell. */
export const INSTALLER_NAMES = { sh: "rport-installer.sh", ps1: "install.ps1" } as const;

/** Where a pairing's installer script lies, below the server's URL. */
export function scriptPath(id: string): string {
  return `/p/${id}`;
}

/** The address of a pairing's installer script; `url` has no slash at its end. */
export function scriptUrl(url: string, id: string): string {
  return url + scriptPath(id);
}

/**
 * The line to paste on a Linux host: fetches the installer into a fresh private directory, has whoever
 * runs it check its hash, runs it with the token on standard input, cleans up. It works in any POSIX
 * shell, leaves the shell it was pasted into open, and its exit status is the installer's, or that of
 * the first step that failed.
 */
export function linuxCommand(parts: LinuxCommandParts): string {
  return shellCommand(parts, FETCH[parts.tool], SHA256_TOOLS.linux);
}

/** The same for a Mac, which has curl, and a hash program of another name. */
export function macosCommand(parts: ShellCommandParts): string {
  return shellCommand(parts, FETCH.curl, SHA256_TOOLS.macos);
}

function shellCommand(
  parts: ShellCommandParts,
  fetch: (pin: string) => string,
  hasher: string,
): string {
  if (!TOKEN.test(parts.token)) {
    throw new RportError("BAD_REQUEST", "A pairing token has letters and digits only.");
  }
  const { url, pairingUrl } = parts;
  const script = alwaysQuote(scriptUrl(pairingUrl ?? url, parts.id));
  const pairing = pairingUrl === undefined ? "" : ` --pairing ${alwaysQuote(pairingUrl)}`;
  const pin = parts.tlsPin === undefined ? "" : alwaysQuote(tlsPinSchema.parse(parts.tlsPin));
  const pinned = pin && ` --tls-pin ${pin}`;
  // Not printf: mksh, ksh and posh run that as a program, whose arguments everybody sees.
  const token = `echo ${parts.token}`;
  // What becomes root forgets which proxies there are. Their addresses may have passwords in them.
  const input = parts.sudo ? `(${token}; env | grep -i _proxy=)` : token;
  const proxies = parts.sudo ? " --proxy-stdin" : "";
  const flags = parts.flags.map((flag) => ` ${quoteFlag(flag)}`).join("");
  return scriptLine({
    // The pin is the server's: a pairing service apart has a certificate that hosts trust.
    fetch: fetch(pairingUrl === undefined ? pin : ""),
    script,
    sha256: parts.sha256,
    hasher,
    maxBytes: SCRIPT_MAX_BYTES,
    input,
    sudo: parts.sudo,
    args: ` --server ${alwaysQuote(url)}${pairing}${pinned} --token-stdin${proxies}${flags}`,
  });
}

/** The shell itself puts the home in place of a `~/` that is not quoted. */
function quoteFlag(flag: string): string {
  return flag.startsWith("~/") ? `~/${shellQuote(flag.slice(2))}` : shellQuote(flag);
}

function alwaysQuote(text: string): string {
  if (CONTROL.test(text)) shellQuote(text);
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
