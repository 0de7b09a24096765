/** By this comment a plist is recognised as ours. */
export const PLIST_MARK = "<!-- Written by the installer of rport-agent. -->";

/** What a job of launchd says. */
export interface Job {
  readonly label: string;
  /** The account that runs it; undefined: whose agent it is. */
  readonly user: string | undefined;
  readonly command: readonly string[];
  readonly logFile: string;
}

/** The least time between two starts, in seconds. */
const THROTTLE_S = 5;

/** The plist of a job that launchd starts with the machine, or at the login, and again when it ends. */
export function renderPlist({ label, user, command, logFile }: Job): string {
  const account = user === undefined ? "" : pair("UserName", text(user));
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
${PLIST_MARK}
<dict>
${pair("Label", text(label))}${account}${pair(
  "ProgramArguments",
  `<array>${command.map(text).join("")}</array>`,
)}${pair(
  "EnvironmentVariables",
  `<dict>${pair("DO_NOT_TRACK", text("1"))}${pair("BUN_ENABLE_CRASH_REPORTING", text("0"))}</dict>`,
)}${pair("WorkingDirectory", text("/"))}${pair("RunAtLoad", "<true/>")}${pair(
  "KeepAlive",
  "<true/>",
)}${pair("ThrottleInterval", `<integer>${THROTTLE_S}</integer>`)}${pair(
  "Umask",
  `<integer>${0o077}</integer>`,
)}${pair("ProcessType", text("Background"))}${pair("StandardOutPath", text(logFile))}${pair(
  "StandardErrorPath",
  text(logFile),
)}</dict>
</plist>
`;
}

/** The account in the text of a plist of ours; undefined when it names none. */
export function userIn(plist: string): string | undefined {
  return /<key>UserName<\/key>\s*<string>([a-z_][a-z0-9_-]{0,30})<\/string>/.exec(plist)?.[1];
}

function pair(key: string, value: string): string {
  return `<key>${key}</key>\n${value}\n`;
}

function text(value: string): string {
  const escaped = value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return `<string>${escaped}</string>`;
}
