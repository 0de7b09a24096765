import { t } from "@vscode/l10n";

/** What an agent has to know. */
export interface ManualParts {
  /** Where the host reaches the server. */
  readonly url: string;
  /** `SHA256:` fingerprint of the server's key. */
  readonly fingerprint: string;
  /** What the server's TLS key is recognised by; undefined: its certificate is trusted. */
  readonly tlsPin?: string | undefined;
  readonly authId: string;
  readonly secret: string;
  /** Empty: by the host's own name. */
  readonly name: string;
  readonly tags: readonly string[];
}

/** The text of an `rport.conf` for one host. */
export function manualText({
  url,
  fingerprint,
  tlsPin,
  authId,
  secret,
  name,
  tags,
}: ManualParts): string {
  const lines = [
    `# ${t("The RPort agent's configuration for one host. It has a secret in it: keep it private (mode 0600).")}`,
    `# ${t("The agent replaces the secret when the server hands out a new one.")}`,
    "",
    "[client]",
    `server = ${quoted(url)}`,
    `fingerprint = ${quoted(fingerprint)}`,
    ...(tlsPin === undefined ? [] : [`tls_pin = ${quoted(tlsPin)}`]),
    `auth = ${quoted(`${authId}:${secret}`)}`,
    ...(name === "" ? [] : [`name = ${quoted(name)}`]),
    ...(tags.length === 0 ? [] : [`tags = [${tags.map(quoted).join(", ")}]`]),
    "",
    "[connection]",
    'keep_alive = "25s"',
    "",
  ];
  return lines.join("\n");
}

/** A basic string of TOML: JSON's escapes are among its own, and it wants one more. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll("\u007F", "\\u007F");
}
