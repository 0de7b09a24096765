import { RportError } from "../errors.ts";
import { type TlsPin, tlsPinSchema } from "../tls/tlsPin.ts";

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
const SHA256 = /^[0-9a-f]{64}$/;
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

const FETCH = {
  curl: (pin: string) => `curl -fsSL${pin && ` -k --pinnedpubkey ${pin}`} -o`,
  wget: (pin: string) => `wget -q${pin && ` --no-check-certificate --pinnedpubkey=${pin}`} -O`,
} as const;

/**
 * The line to paste on a Linux host: fetches the installer into a fresh private directory, checks
 * its hash, runs it with the token on standard input, cleans up. It works in any POSIX shell,
 * leaves the shell it was pasted into open, and its exit status is the installer's, or that of the
 * first step that failed.
 */
export function linuxCommand(parts: LinuxCommandParts): string {
  return shellCommand(parts, FETCH[parts.tool], "sha256sum -c - >/dev/null");
}

/** The same for a Mac, which has curl, and a hash program of another name. */
export function macosCommand(parts: ShellCommandParts): string {
  return shellCommand(parts, FETCH.curl, "shasum -a 256 -c - >/dev/null");
}

function shellCommand(
  parts: ShellCommandParts,
  fetch: (pin: string) => string,
  check: string,
): string {
  if (!SHA256.test(parts.sha256)) {
    throw new RportError("BAD_REQUEST", "The script's SHA-256 has 64 hexadecimal digits.");
  }
  if (!TOKEN.test(parts.token)) {
    throw new RportError("BAD_REQUEST", "A pairing token has letters and digits only.");
  }
  const { url, pairingUrl } = parts;
  const script = alwaysQuote(scriptUrl(pairingUrl ?? url, parts.id));
  const pairing = pairingUrl === undefined ? "" : ` --pairing ${alwaysQuote(pairingUrl)}`;
  const pin = parts.tlsPin === undefined ? "" : alwaysQuote(tlsPinSchema.parse(parts.tlsPin));
  const pinned = pin && ` --tls-pin ${pin}`;
  // The pin is the server's: a pairing service apart has a certificate that hosts trust.
  const fetched = fetch(pairingUrl === undefined ? pin : "");
  const run = parts.sudo ? "sudo sh" : "sh";
  const token = `echo ${parts.token}`;
  // What becomes root forgets which proxies there are. Their addresses may have passwords in them.
  const input = parts.sudo ? `(${token}; env | grep -i _proxy=)` : token;
  const proxies = parts.sudo ? " --proxy-stdin" : "";
  const flags = parts.flags.map((flag) => ` ${quoteFlag(flag)}`).join("");
  const steps = [
    "d=$(mktemp -d)",
    `${fetched} "$d/i" ${script}`,
    `echo '${parts.sha256}  '"$d/i" | ${check}`,
    // Not printf: mksh, ksh and posh run that as a program, whose arguments everybody sees.
    `${input} | ${run} "$d/i" --server ${alwaysQuote(url)}${pairing}${pinned} --token-stdin${proxies}${flags}`,
  ];
  return tidyLine(steps, 'rm -rf "$d"');
}

/**
 * One line of steps, each of which needs those before it, that always ends with `tidy`: Ctrl-C ends what
 * runs, and what was fetched is removed all the same. Nothing of it stays in the shell it is pasted into.
 */
export function tidyLine(steps: readonly string[], tidy: string): string {
  return `(umask 077; trap : HUP INT TERM; ${steps.join(" && ")}; s=$?; ${tidy}; exit $s)`;
}

/** The shell itself puts the home in place of a `~/` that is not quoted. */
function quoteFlag(flag: string): string {
  return flag.startsWith("~/") ? `~/${shellQuote(flag.slice(2))}` : shellQuote(flag);
}

function alwaysQuote(text: string): string {
  if (CONTROL.test(text)) shellQuote(text);
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
