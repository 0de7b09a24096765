/** The page's words in English; the host may send others in `strings`, by the same keys. */
export const ENGLISH = {
  title: "Install a client",
  server: "Server",
  credential: "Credential",
  fingerprint: "Fingerprint",
  change: "Change…",
  platform: "Platform",
  tool: "Download with",
  snippet: "Paste this on the host",
  copy: "Copy",
  copyHint: "Copy (C)",
  renewAndCopy: "Renew and Copy",
  run: "Run in a Terminal…",
  inspect: "Inspect Script",
  revoke: "Revoke",
  creating: "Preparing…",
  waiting: "Waiting for the first connection",
  claimed: "{0} is installing…",
  connected: "Connected: {0}",
  expired: "Expired",
  revoked: "Revoked",
  failed: "No command yet",
  worksOnce: "Works once, until {0} ({1} left).",
  claimedHint: "{0} ({1}) took the credentials and is starting.",
  connectedHint: "{0} is online: {1} at {2}.",
  expiredHint: "This command has expired. Nothing can be installed with it any more.",
  revokedHint: "This command was revoked. Nothing can be installed with it any more.",
  failedHint: "{0} ({1})",
  minutes: "{0} min",
  seconds: "{0} s",
  oneMinuteLeft: "1 minute left",
  options: "Options",
  name: "Display name",
  nameHint: "Shown in the tree; empty: the host's own name.",
  tags: "Tags, separated by commas",
  noService: "Do not install a service",
  noServiceHint:
    "Starts the agent once, in the background. For containers, and where you are not root.",
  prefix: "Install below this folder",
  prefixHint: "Empty: the usual places of the system, as root.",
  happens: "What happens",
  happens1: "The command downloads one script, checks its SHA-256, and runs it.",
  happens2: "The script downloads the agent, checks its SHA-256, and installs it.",
  happens3:
    "The token in the command works once. The server keeps it in memory only, and only as a sealed value.",
  happens4:
    "The agent connects out to the server and pins its fingerprint; no port is opened on the host.",
  happens5:
    "To remove everything, run the script again with --uninstall. Its exit status tells the truth.",
  showClient: "Show in Tree",
  another: "Install Another",
} as const;

/** A key of the page's words. */
export type WordKey = keyof typeof ENGLISH;

/** Looks a text up and puts the values in place of {0}, {1}, ... */
export type Words = (key: WordKey, ...values: readonly string[]) => string;

/** Words in the host's language, English where it has none. */
export function wordsOf(strings: Readonly<Record<string, string>>): Words {
  return (key, ...values) => {
    const text = Object.hasOwn(strings, key) ? (strings[key] ?? ENGLISH[key]) : ENGLISH[key];
    return text.replaceAll(/\{(\d)\}/g, (_, at: string) => values[Number(at)] ?? "");
  };
}
