import type { EndpointCall } from "@rport/protocol/http";
import { hostnameSchema } from "@rport/protocol/pairing/hostname";
import type { PairingServiceView } from "@rport/protocol/pairing/model";
import type { SheetOptions, SheetState } from "@rport/protocol/sheet";
import { t } from "@vscode/l10n";
import { isPlainLine } from "../support/text.ts";

/** What the sheet starts with. Whatever widens access or changes the host's layout is off. */
export const NO_OPTIONS: SheetOptions = {
  name: "",
  tags: [],
  hostname: "",
  uses: "1",
  minutes: "",
  user: "",
  prefix: "",
  proxy: "",
  packageFile: "",
  sha256: "",
  runtime: "auto",
  terminals: false,
  noService: false,
  noStart: false,
  newId: false,
  force: false,
};

/** An option by its name. */
export type OptionName = keyof SheetOptions;

/** What is wrong with options, a sentence each. */
export type Problems = SheetState["problems"];

type PairingBody = NonNullable<EndpointCall<"createPairing">["body"]>;

/** Characters of a name, and of a tag, that a pairing carries. */
const NAME_MAX = 64;
const TAGS_MAX = 32;
const USES_MAX = 100;
const MINUTES_MAX = 60;

const USER = /^[a-z_][a-z0-9_-]{0,30}$/;
/** As the installer takes it. */
const PROXY = /^https?:\/\/[^\s@]+$/;
const SHA256 = /^[0-9A-Fa-f]{64}$/;
/** Names of examples. */
const NAMES = { folder: "rport", file: "rport-agent" } as const;
const WINDOWS_NAMES = { folder: "rport", file: "rport-agent.exe" } as const;
/** PowerShell takes typographic quotes for quotes. */
const WINDOWS_PATH = /^[A-Za-z]:\\[^"<>|?*‘’‚‛“”„]+$/;

/** They travel in the pairing itself, so that another one is needed when they change. */
const PAIRED = ["name", "tags", "hostname", "uses", "minutes"] as const;
/** They are flags of the installer. */
const FLAGS = [
  ...(["user", "prefix", "proxy", "packageFile", "sha256", "runtime"] as const),
  ...(["terminals", "noService", "noStart", "newId", "force"] as const),
];
/** On Windows the service has its account, the system its proxy, and the agent one form. */
const NOT_ON_WINDOWS: readonly OptionName[] = ["user", "proxy", "runtime", "terminals"];
/** There an installation cannot allow terminals yet. */
const NOT_ON_MACOS: readonly OptionName[] = ["terminals"];
const NOT_ON: Readonly<Partial<Record<string, readonly OptionName[]>>> = {
  windows: NOT_ON_WINDOWS,
  macos: NOT_ON_MACOS,
};

/** What RPort's own installer and a container have no counterpart for is not offered there. */
export function offeredOptions(
  { kind }: Pick<PairingServiceView, "kind">,
  platform: string,
): readonly OptionName[] {
  if (kind === "rport-pairing") return ["minutes"];
  if (platform === "docker") return PAIRED;
  const flags = FLAGS.filter((name) => NOT_ON[platform]?.includes(name) !== true);
  return [...PAIRED, ...flags];
}

/** Whether the same pairing serves both. */
export function isSamePairing(one: SheetOptions, other: SheetOptions): boolean {
  return PAIRED.every((name) => JSON.stringify(one[name]) === JSON.stringify(other[name]));
}

/**
 * What of the options a pairing is made with. They must have no problems. What was not chosen is left
 * out: a server of before does not know it.
 */
export function pairingBody(options: SheetOptions): Omit<PairingBody, "credential_id"> {
  const { name, tags, hostname, uses, minutes } = options;
  return {
    name,
    tags,
    hostname: hostname || undefined,
    uses: uses === "1" ? undefined : Number(uses),
    ttl_seconds: minutes === "" ? undefined : Number(minutes) * 60,
  };
}

/** Flags of the installers for Linux and macOS. */
export function flagsOf(options: SheetOptions, platform: "linux" | "macos"): readonly string[] {
  const { prefix, user, proxy, packageFile, sha256, runtime } = options;
  const { noService, noStart, newId, force } = options;
  const terminals = options.terminals && platform === "linux";
  const values = {
    "--prefix": prefix,
    "--user": terminals ? "" : user,
    "--terminals": terminals ? user : "",
    "--proxy": proxy,
    "--package": packageFile,
    "--sha256": sha256.toLowerCase(),
    "--runtime": runtime === "auto" ? "" : runtime,
  };
  const switches = {
    "--terminals": terminals && user === "",
    "--no-service": noService,
    "--no-start": noStart,
    "--new-id": newId,
    "--force": force,
  };
  return [
    ...Object.entries(values).flatMap(([flag, value]) => (value === "" ? [] : [flag, value])),
    ...Object.entries(switches).flatMap(([flag, isOn]) => (isOn ? [flag] : [])),
  ];
}

/** The same of the installer for Windows. */
export function parametersOf(options: SheetOptions): Readonly<Record<string, string | true>> {
  const { prefix, packageFile, sha256, noService, noStart, newId, force } = options;
  const given = {
    Prefix: prefix,
    Package: packageFile,
    Sha256: sha256,
    NoService: noService,
    NoStart: noStart,
    NewId: newId,
    Force: force,
  };
  const chosen = Object.entries(given).filter(([, value]) => value);
  return Object.fromEntries(chosen) as Readonly<Record<string, string | true>>;
}

/** Why options cannot be used, each under the name of its field; empty when all can. */
export function problemsOf(
  options: SheetOptions,
  offered: readonly OptionName[],
  platform: string,
): Problems {
  const found = offered.flatMap((name) => {
    const why = CHECKS[name]?.(options, platform);
    return why === undefined ? [] : [[name, why]];
  });
  return Object.fromEntries(found);
}

type Check = (options: SheetOptions, platform: string) => string | undefined;

const CHECKS: Readonly<Partial<Record<OptionName, Check>>> = {
  name: whyNotName,
  tags: whyNotTags,
  hostname: ({ hostname }) =>
    hostname === "" || hostnameSchema.safeParse(hostname).success
      ? undefined
      : t("A host name has letters, digits, hyphens and dots, nothing else."),
  uses: whyNotUses,
  minutes: ({ minutes }) =>
    minutes === "" || isWhole(minutes, MINUTES_MAX)
      ? undefined
      : t("A whole number of minutes from 1 to {0}, or nothing.", MINUTES_MAX),
  user: whyNotUser,
  prefix: ({ prefix }, platform) =>
    prefix === "" ? undefined : whyNotPath(prefix, platform, "folder"),
  proxy: whyNotProxy,
  packageFile: ({ packageFile }, platform) =>
    packageFile === "" ? undefined : whyNotPath(packageFile, platform, "file"),
  sha256: whyNotSha256,
  terminals: whyNotTerminals,
  noService: ({ noService, noStart }) =>
    noService && noStart
      ? t("Without a service and without a start nothing would ever run. Choose one of them.")
      : undefined,
};

function whyNotName({ name, uses }: SheetOptions): string | undefined {
  if (name === "") return undefined;
  if (name.length > NAME_MAX) return t("A name has {0} characters at most.", NAME_MAX);
  if (!isPlainLine(name)) return t("The name has invisible characters.");
  return Number(uses) > 1
    ? t("All hosts of the line would be called this. Leave it empty for their own names.")
    : undefined;
}

function whyNotTags({ tags }: SheetOptions): string | undefined {
  if (tags.length > TAGS_MAX) return t("A host has {0} tags at most.", TAGS_MAX);
  if (tags.some((tag) => tag.length > NAME_MAX))
    return t("A tag has {0} characters at most.", NAME_MAX);
  return tags.every(isPlainLine) ? undefined : t("A tag has invisible characters.");
}

function whyNotUses({ uses, hostname }: SheetOptions): string | undefined {
  if (!isWhole(uses, USES_MAX)) return t("A whole number of hosts from 1 to {0}.", USES_MAX);
  return hostname !== "" && Number(uses) > 1
    ? t("A line for one host only cannot be for several.")
    : undefined;
}

function whyNotUser(
  { user, prefix, terminals }: SheetOptions,
  platform: string,
): string | undefined {
  if (user === "") {
    return terminals && prefix === "" && offersTerminals(platform)
      ? t("Terminals run as this account: one that people log in to, such as root or your own.")
      : undefined;
  }
  if (!USER.test(user)) return t("An account has small letters, digits, _ and -, 31 at most.");
  return prefix === ""
    ? undefined
    : t("Below a folder of your own the agent runs as you: leave the account empty.");
}

function whyNotTerminals({ terminals, noService, user, prefix }: SheetOptions): string | undefined {
  return terminals && noService && prefix === "" && user !== "root"
    ? t("Without a service, terminals are for root alone, or below a folder of your own.")
    : undefined;
}

function offersTerminals(platform: string): boolean {
  return NOT_ON[platform]?.includes("terminals") !== true;
}

/** Everybody on the host sees the installer's options. */
function whyNotProxy({ proxy }: SheetOptions): string | undefined {
  if (proxy === "") return undefined;
  if (!isPlainLine(proxy)) return t("The address has invisible characters.");
  if (proxy.includes("@")) {
    return t(
      "Everybody on the host would see its password. Set https_proxy in the shell there instead.",
    );
  }
  return PROXY.test(proxy) ? undefined : t("An address such as http://proxy.example.com:3128.");
}

function whyNotSha256({ sha256, packageFile }: SheetOptions, platform: string): string | undefined {
  if (sha256 === "") {
    const isNeeded = platform === "windows" && packageFile !== "";
    return isNeeded ? t("Windows needs the SHA-256 of the file.") : undefined;
  }
  if (!SHA256.test(sha256)) return t("A SHA-256 has 64 digits of 0 to 9 and a to f.");
  return packageFile === "" ? t("It is of a file to install from, and none is named.") : undefined;
}

const UNSEEN = {
  folder: t("The folder's name has invisible characters."),
  file: t("The file's name has invisible characters."),
} as const;

const BELOW_HOME = {
  folder: t("A folder below the home, such as ~/{0}.", NAMES.folder),
  file: t("A file below the home, such as ~/{0}.", NAMES.file),
} as const;

function whyNotPath(path: string, platform: string, what: "folder" | "file"): string | undefined {
  if (!isPlainLine(path)) return UNSEEN[what];
  if (platform === "windows") {
    return WINDOWS_PATH.test(path)
      ? undefined
      : t("The whole path, such as C:\\Tools\\{0}.", WINDOWS_NAMES[what]);
  }
  if (path === "~" || path === "~/") return BELOW_HOME[what];
  if (path.startsWith("~/") || path.startsWith("/")) return undefined;
  return path.startsWith("~")
    ? t("Only ~/ stands for a home: your own.")
    : t("The whole path, from / or ~/ on, such as ~/{0}.", NAMES[what]);
}

function isWhole(text: string, max: number): boolean {
  return /^[1-9]\d{0,3}$/.test(text) && Number(text) <= max;
}
