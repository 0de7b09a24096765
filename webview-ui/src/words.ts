/** The page's words in English, by which the host's translations of them are looked up. */
export const ENGLISH = {
  // BCP 47: how dates are written; a translation says which one is its own
  locale: "en-GB",
  title: "Install a client",
  server: "Server",
  credential: "Credential",
  fingerprint: "Fingerprint",
  service: "Pairing service",
  change: "Change…",
  platform: "Platform",
  tool: "Download with",
  snippet: "Paste this on the host",
  snippetHosts: "Paste this on each of {0} hosts",
  snippetHost: "Paste this on {0}",
  onLinux: "Linux: any shell. sudo asks for the password where root is needed.",
  onLinuxNode:
    "Linux: any shell, on a host with Node.js 20 or newer: this server has no executable of the agent. sudo asks for the password where root is needed.",
  onMacos:
    "macOS: the Terminal. Needs Node.js 20 or newer there, unless this server has the agent for Macs.",
  onWindows: "Windows: PowerShell 5.1 or 7, run as administrator unless a folder is chosen below.",
  onDocker:
    "Docker: any machine that has the image rport-agent, which is built from agent/Dockerfile.",
  copy: "Copy",
  copied: "Copied",
  copyHint: "Copy (C)",
  renew: "Renew",
  renewAndCopy: "Renew and Copy",
  run: "Run in a Terminal…",
  inspect: "Inspect Script",
  saveScript: "Save Script…",
  revoke: "Revoke",
  isWrong: "An option below is not right yet; there is no line until it is.",
  creating: "Preparing…",
  waiting: "Waiting for the first connection",
  waitingHosts: "{0} of {1} connected",
  used: "Used",
  expired: "Expired",
  revoked: "Revoked",
  lost: "Not kept",
  over: "Over",
  credentialGone: "Credential deleted",
  failed: "No line yet",
  usedHint: "This line has been used as often as it may. Nothing more can be installed with it.",
  expiredHint: "This line expired at {0}, unused. Nothing can be installed with it any more.",
  expiredHostsHint: "This line expired at {0}. No more hosts can be installed with it.",
  revokedHint: "This line was revoked. Nothing can be installed with it any more.",
  lostHint:
    "The window was reloaded, and this line is kept nowhere. If it has been pasted already it still works; a new one replaces it.",
  overHint:
    "The line of before is over: it was used, revoked, or its time ran out, and the server does not know it any more.",
  credentialGoneHint: "The credential was deleted, and all its lines with it.",
  failedHint: "{0} ({1})",
  serviceFailedHint: "{0}",
  useThisServer: "Use This Server Instead",
  tryAgain: "Try Again",
  worksOnce: "Works once, until {0} ({1} left).",
  worksOften: "Still works for {2} of {3} hosts, until {0} ({1} left).",
  worksForAll: "Works until {0} ({1} left), for everybody who has it.",
  usedBy: "Used by {0} at {1}.",
  minutes: "{0} min",
  seconds: "{0} s",
  oneMinuteLeft: "1 minute left",

  claimed: "{0} is installing…",
  claimedHint: "{0} ({1}) took the credentials at {2} and is installing.",
  installed: "{0} is starting…",
  installedHint: "{0} ({1}) has the agent since {2}; it signs in next.",
  approval: "Waiting for your approval: {0}",
  approvalHint: "{0} ({1}) waits since {2} to be let in.",
  connected: "Connected: {0}",
  connectedHint: "{0} is online since {2}: {3} at {1}.",
  refused: "Refused: {0}",
  refusedHint: "The server refused {0} ({1}) at {2}.",
  hostFailed: "Installation failed: {0}",
  hostFailedHint: "On {0} ({1}) the installation failed at {2}, and took back what it had done.",
  silent: "Nothing heard: {0}",
  silentHint:
    "{0} ({1}) took the credentials, and was not heard of since {2}. Look at the terminal there: the installer says what it waits for, or why it failed. On the host, “rport-agent status” and the log of the service tell more.",
  offline: "Offline: {0}",
  offlineHint: "{0} was connected, and is offline since {2}.",
  hostRevoked: "Revoked: {0}",
  hostRevokedHint: "{0} was connected, and was revoked at {2}.",
  deleted: "Deleted: {0}",
  deletedHint: "{0} was connected. Its record has been deleted since.",
  approve: "Approve",
  deny: "Deny",
  cureNewId: "Register as a New Host",
  cureRenew: "New Line",
  cureLimits: "Change Limits…",
  cureAllow: "Allow Again…",
  showClient: "Show in Tree",
  another: "Install Another",
  hosts: "Hosts",
  news: "What else has happened",

  stepMade: "made",
  stepScript: "script fetched",
  stepClaimed: "credentials taken",
  stepWaiting: "waits for approval",
  stepInstalled: "installed",
  stepConnected: "connected",
  stepRefused: "refused",
  stepFailed: "failed",
  stepExpired: "expired",
  stepRevoked: "revoked",

  nearOnly: "Only the server’s own machine can reach {0}.",
  nearOnlyHere:
    "The server listens on this address alone. For other hosts, start it with another one.",
  nearOnlyAll: "For other hosts, choose another address of this machine:",
  nearOnlyNone: "For other hosts, set the server’s address.",
  nearOnlyOne: "For other hosts, set the server’s address (url) to the one it listens on.",
  useAddress: "Use This Address",
  address: "Address",
  addressHelp: "Set the Server’s Address…",

  sealed: "The line leads to {0}, which keeps what the host needs and cannot read it.",
  rportPairing:
    "The line leads to {0}, a service of RPort’s: it keeps the credentials as plain text, under a code of seven letters, until the time below. It tells nobody who fetched them. It has scripts for Linux and Windows only.",

  options: "Options",
  name: "Display name",
  nameHint: "Shown in the tree; empty: the host’s own name.",
  tags: "Tags, separated by commas",
  hostname: "Only for the host named",
  hostnameHint: "Its own host name; every other host is turned away. Empty: any host.",
  uses: "For how many hosts",
  usesHint: "A roll-out: so many hosts can be installed with one line.",
  minutesField: "Works for (minutes)",
  minutesFieldHint: "1 to 60; empty: as the server is set.",
  user: "Account that runs the agent",
  userHint: "Empty: “rport”, which is made if need be.",
  terminals: "Allow terminals",
  terminalsHint:
    "Whoever may open terminals on this server acts on the host as the account above, with its sudo. Below a folder: as whoever pastes the line.",
  terminalsAs:
    "Whoever may open terminals on {0} acts on this host as {1}, until you take it back there, with the installer’s --no-terminals.",
  terminalsAsOwn:
    "Whoever may open terminals on {0} acts on this host as whoever pastes the line, until they take it back there, with the installer’s --no-terminals.",
  noService: "Do not install a service",
  noServiceHint:
    "Starts the agent once, in the background. For containers, and where you are not root.",
  noStart: "Do not start it now",
  noStartHint: "Installs the service; the host connects after its next start.",
  newId: "Register as a new host",
  newIdHint: "For copies of a disk or a virtual machine that is a client already.",
  force: "Enrol anew",
  forceHint: "Also when the host belongs to another server; it keeps its id.",
  prefix: "Install below this folder",
  prefixHint: "Needs no root, such as ~/rport. Empty: the usual places of the system, as root.",
  proxy: "Proxy",
  proxyHint:
    "For the download and the agent, without a password. Empty: as the shell there has it (https_proxy).",
  packageFile: "Install from this file",
  packageFileHint:
    "A file on the host, which was brought there: nothing else is fetched. Empty: from this server.",
  sha256: "SHA-256 of that file",
  sha256Hint: "Empty: on Linux and macOS the file must be one of this server’s release.",
  runtime: "What runs the agent",
  runtimeAuto: "An executable of its own where there is one, else Node.js",
  runtimeBun: "An executable of its own",
  runtimeNode: "Node.js of the host, 20 or newer",

  manual: "Without an installer",
  manualIntro:
    "For a host that reaches the server, but cannot fetch anything: bring the agent there yourself, and this file as /etc/rport/rport.conf. Then: rport-agent run -c /etc/rport/rport.conf",
  manualMake: "Make a Configuration File",
  manualMaking: "Making a secret…",
  manualWarning:
    "The secret in it does not expire by itself. It is shown nowhere again after this sheet is closed. To end it, press Revoke here, or find it below the credential under Secrets.",
  manualShow: "Show Secret",
  manualHide: "Hide Secret",
  manualCopy: "Copy File",
  manualSave: "Save File…",
  manualRevoke: "Revoke Secret",
  manualRevoked: "The secret was revoked. Whoever has the file cannot use it any more.",

  happens: "What happens",
  happens1: "The command downloads one script, checks its SHA-256, and runs it.",
  happens2: "The script downloads the agent, checks its SHA-256, and installs it.",
  happens3:
    "The token in the command works once. The server keeps it in memory only, and only as a sealed value.",
  happens4:
    "The agent connects out to the server and pins its fingerprint; no port is opened on the host.",
  happensSealed3:
    "The token in the command works once. The pairing service keeps what it opens as a sealed value, in memory only.",
  happensRport1:
    "The command downloads a script of RPort’s pairing service, checks that it is the one that this server looked at, and runs it.",
  happensRport2:
    "The script installs RPort’s own client from RPort’s servers, and writes its configuration.",
  happensRport3:
    "Whoever has the code of seven letters gets the credentials, as often as they ask, until it expires.",
  happensRport4: "The client connects out to this server and pins its fingerprint.",
  happens5:
    "To remove everything, run the script again with --uninstall. Its exit status tells the truth.",
} as const;

/** A key of the page's words. */
export type WordKey = keyof typeof ENGLISH;

/** Looks a text up and puts the values in place of {0}, {1}, ... */
export type Words = (key: WordKey, ...values: readonly string[]) => string;

/** Words in the language of `texts`, which has them by the English ones; in English where it has none. */
export function wordsOf(texts: Readonly<Record<string, string>>): Words {
  return (key, ...values) => {
    const english = ENGLISH[key];
    const text = Object.hasOwn(texts, english) ? (texts[english] ?? english) : english;
    return text.replaceAll(/\{(\d)\}/g, (_, at: string) => values[Number(at)] ?? "");
  };
}
