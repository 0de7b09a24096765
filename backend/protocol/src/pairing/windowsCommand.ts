import { RportError } from "../errors.ts";
import { scriptUrl } from "./commands.ts";
import { SCRIPT_MAX_BYTES } from "./service.ts";

/** What the pasted line for Windows is made of. */
export interface WindowsCommandParts {
  /** Where the installer is fetched and the agent will connect: `http(s)://host[:port][/path]`. */
  readonly url: string;
  /** The pairing service, where that is not the server: the script is fetched and the token claimed there. */
  readonly pairingUrl?: string | undefined;
  /** The pairing's public id; the script stands at `<url>/p/<id>?os=windows`. */
  readonly id: string;
  /** SHA-256 of the script, 64 lower-case hex digits. */
  readonly sha256: string;
  /** The pairing token. */
  readonly token: string;
  /** Further parameters of the installer, by their names, for example `Name`; true for a switch. */
  readonly parameters: Readonly<Record<string, string | readonly string[] | true>>;
}

/** Line ends would run half a line; other controls would act on the terminal. */
const CONTROL = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;
/** PowerShell takes each of them for a quote, and old consoles turn them into other characters. */
const TYPOGRAPHIC = /[‘’‚‛“”„]/u;
const SHA256 = /^[0-9a-f]{64}$/;
const TOKEN = /^[A-Za-z0-9]+$/;
const PARAMETER = /^[A-Za-z][A-Za-z0-9]*$/;
/** TLS 1.2, as a number: old systems have no name for it. */
const TLS12 = 3_072;
/** How long a script may take to come, in milliseconds. */
const FETCH_MS = 60_000;

/**
 * One word of PowerShell that yields exactly `text`. Throws `BAD_REQUEST` for control characters and
 * typographic quotes.
 */
export function powershellQuote(text: string): string {
  if (CONTROL.test(text)) {
    throw new RportError("BAD_REQUEST", "A command line cannot contain control characters.");
  }
  if (TYPOGRAPHIC.test(text)) {
    const sentence = "A command line of PowerShell cannot contain typographic quotes.";
    throw new RportError("BAD_REQUEST", sentence);
  }
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * The line to paste into an elevated PowerShell, 5.1 or 7: fetches the installer into a fresh directory
 * through the system's proxy, compares its hash, runs it in the same process, so that the token is in
 * no command line of a process, and cleans up. It leaves the PowerShell it was pasted into open; the
 * installer's exit status is in `$LASTEXITCODE`.
 */
export function windowsCommand(parts: WindowsCommandParts): string {
  if (!TOKEN.test(parts.token)) {
    throw new RportError("BAD_REQUEST", "A pairing token has letters and digits only.");
  }
  const { url, pairingUrl, sha256 } = parts;
  const server = powershellQuote(url);
  const pairing = pairingUrl === undefined ? "" : ` -Pairing ${powershellQuote(pairingUrl)}`;
  return powershellLine({
    scriptUrl: `${scriptUrl(pairingUrl ?? url, parts.id)}?os=windows`,
    sha256,
    maxBytes: SCRIPT_MAX_BYTES,
    run: [`& $f -Server ${server}${pairing} -Token ${parts.token}${parameters(parts.parameters)}`],
  });
}

/** What a line of PowerShell is made of that fetches a script and runs it. */
export interface PowershellLineParts {
  readonly scriptUrl: string;
  /** SHA-256 of the script, 64 lower-case hex digits. */
  readonly sha256: string;
  /** The longest script in bytes. */
  readonly maxBytes: number;
  /** How it fetches, in PowerShell: `$w` is the `WebClient`. */
  readonly prepare?: readonly string[];
  /** How it runs the script, in PowerShell: that is the file `$f`. */
  readonly run: readonly string[];
}

/**
 * A line that fetches a script, for a minute and to `maxBytes` at the most, checks that it is the expected
 * one, runs it, and removes it in any case. Of an administrator it lies where only administrators write, and
 * from its check to its end nobody can write to it or put another one in its place.
 */
export function powershellLine(parts: PowershellLineParts): string {
  if (!SHA256.test(parts.sha256)) {
    throw new RportError("BAD_REQUEST", "The script's SHA-256 has 64 hexadecimal digits.");
  }
  const steps = [
    "$w=New-Object Net.WebClient",
    "if($w.Proxy){$w.Proxy.Credentials=[Net.CredentialCache]::DefaultCredentials}",
    ...(parts.prepare ?? []),
    `$r=$w.OpenRead(${powershellQuote(parts.scriptUrl)})`,
    // A stream over a given array takes no more than that; what is cut off or late has another hash.
    `$b=New-Object byte[] ${parts.maxBytes}`,
    "$m=New-Object IO.MemoryStream(,$b)",
    `[void]$r.CopyToAsync($m).AsyncWaitHandle.WaitOne(${FETCH_MS})`,
    "$o=[IO.File]::Open($f,'CreateNew')",
    "$o.Write($b,0,$m.Position)",
    "$o.Close()",
    // Who reads a file lets others read it, and nothing else.
    "$s=[IO.File]::OpenRead($f)",
    `if((Get-FileHash -InputStream $s).Hash-ne'${parts.sha256}'){throw 'This is not the installer of that server.'}`,
    // Where a policy allows scripts of this machine already, there is nothing to be allowed.
    "if('Restricted','AllSigned'-contains(Get-ExecutionPolicy)){Set-ExecutionPolicy Bypass Process -Force}",
    ...parts.run,
  ];
  const before = [
    "$ErrorActionPreference='Stop'",
    `[Net.ServicePointManager]::SecurityProtocol=[Net.ServicePointManager]::SecurityProtocol-bor${TLS12}`,
    "$r=$s=$null",
    `try{${directoryIn("[Environment]::GetFolderPath('ProgramFiles')")}}catch{${directoryIn("[IO.Path]::GetTempPath()")}}`,
    "$f=Join-Path $d install.ps1",
  ];
  const after = "if($s){$s.Close()};if($r){$r.Close()};Remove-Item $d -Recurse -Force";
  return `& {${before.join(";")};try{${steps.join(";")}}finally{${after}}}`;
}

/** Makes a fresh directory, whose path is `$d` then. */
function directoryIn(parent: string): string {
  return `$d=Join-Path (${parent}) ([guid]::NewGuid());[void][IO.Directory]::CreateDirectory($d)`;
}

function parameters(given: WindowsCommandParts["parameters"]): string {
  return Object.entries(given)
    .map(([name, value]) => {
      if (!PARAMETER.test(name)) throw new RportError("BAD_REQUEST", "There is no such parameter.");
      if (value === true) return ` -${name}`;
      const values = typeof value === "string" ? [value] : value;
      return ` -${name} ${values.map(powershellQuote).join(",")}`;
    })
    .join("");
}
