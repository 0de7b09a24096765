import { RportError } from "../errors.ts";

const SHA256 = /^[0-9a-f]{64}$/;

/** The BusyBox of Debian has no `-T`, and crashes with it. */
const WGET_LIMITS = "-t 1 $(wget --help 2>&1 | grep -qe -T && echo -T 20)";

/** What a script is fetched with, by the arguments before the file that it goes to. `pin` is quoted, or empty. */
export const FETCH = {
  curl: (pin: string) => `curl -fsSL -m 60${pin && ` -k --pinnedpubkey ${pin}`} -o`,
  wget: (pin: string) =>
    `wget -q ${WGET_LIMITS}${pin && ` --no-check-certificate --pinnedpubkey=${pin}`} -O`,
} as const;

/** What prints the SHA-256 of its input first, as 64 lower-case hex digits. */
export const SHA256_TOOLS = { linux: "sha256sum", macos: "shasum -a 256" } as const;

/** What a line is made of that fetches a script and runs it. */
export interface ScriptLineParts {
  /** One of `FETCH`, with its pin. */
  readonly fetch: string;
  /** Where the script lies, as a word of a shell. */
  readonly script: string;
  /** Its SHA-256, 64 lower-case hex digits. */
  readonly sha256: string;
  /** One of `SHA256_TOOLS`. */
  readonly hasher: string;
  /** The longest script in bytes, a multiple of 1,024. */
  readonly maxBytes: number;
  /** What prints the script's input, as a command; undefined: it has the line's own. */
  readonly input?: string | undefined;
  /** Whether the script runs as root. */
  readonly sudo: boolean;
  /** The script's arguments, as words of a shell. */
  readonly args: string;
}

/**
 * A line that fetches a script into a fresh private directory, for a minute and to `maxBytes` at the most
 * (twice that in bash, which counts files in other units), and runs it if its hash is the expected one.
 * Who runs it reads it once and checks what was read: what another program of the same account makes of
 * the file while `sudo` waits for a password is not run. Throws `BAD_REQUEST` for a hash that is none.
 */
export function scriptLine(parts: ScriptLineParts): string {
  if (!SHA256.test(parts.sha256)) {
    throw new RportError("BAD_REQUEST", "The script's SHA-256 has 64 hexadecimal digits.");
  }
  const { fetch, script, maxBytes, input, sudo, args } = parts;
  const fed = input === undefined ? "" : `${input} | `;
  const steps = [
    "d=$(mktemp -d)",
    `(ulimit -f ${maxBytes / 512}; ${fetch} "$d/i" ${script})`,
    `${fed}${sudo ? "sudo " : ""}sh -c '${runIfExpected(parts)}' "$d/i"${args}`,
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

/** A program for `sh -c`, without single quotes. The dot keeps line ends at the script's end from being cut off. */
function runIfExpected({ sha256, hasher, maxBytes }: ScriptLineParts): string {
  const read = `i=$(head -c ${maxBytes} "$0"; echo .); i=\${i%.}`;
  const refuse = 'echo "This is not the installer of that server." >&2; exit 1';
  return `${read}; case $(printf %s "$i" | ${hasher}) in ${sha256}*) eval "$i";; *) ${refuse}; esac`;
}
