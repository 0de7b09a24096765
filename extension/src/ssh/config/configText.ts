import { fairly, fairShares } from "../../support/fairly.ts";
import { type Named, type Names, SUFFIX } from "../hosts.ts";
import { isUser } from "./accounts.ts";
import { shellWord, windowsWord, withoutTokens } from "./quoting.ts";

/** What the file about hosts is made from. */
export interface ConfigFacts {
  readonly names: Names;
  /** Whom somebody signs in as, by a host's handle; undefined: as `ssh` decides. */
  readonly userOf: (handle: string) => string | undefined;
  /** The full path of the program that carries the connection. */
  readonly launcher: string;
}

/** `ssh` reads all of it each time that it starts, for whichever host: so much takes it a fifth of a second. */
const TEXT_MAX = 12 * 1024 * 1024;
/** Names that several hosts have and that it is told of one by one. */
const AMBIGUOUS_MAX = 1_000;

const HOST = "Host ";
const KEY_ALIAS = "  HostKeyAlias ";
const USER_LINE = "  User ";

const HEADER = [
  "# Written by RPort for VS Code, and written anew when hosts come and go: what you change here is lost.",
  "# It goes when you choose RPort: Remove Hosts from ssh... in the editor.",
];

/** What `ssh` is told of hosts, and of how many not all. */
export interface ConfigText {
  readonly text: string;
  /** Hosts that are in it by their plainest name and their handle alone. */
  readonly short: number;
  /** The handles of hosts that are not in it. */
  readonly left: readonly string[];
}

/**
 * What `ssh` is told of hosts. Of the texts that a host says of itself only those are in it that are nothing but
 * letters, digits, dots, hyphens and underscores; everything else is computed. The room is shared by servers: one
 * whose names take more than is left for it has short ones. Throws `BAD_REQUEST` for a launcher whose path `ssh`
 * cannot be told.
 */
export function configText({ names, userOf, launcher }: ConfigFacts): ConfigText {
  const program = proxyProgram(launcher);
  const blockOf = ({ handle, aliases }: Named) => {
    const user = userOf(handle);
    return blockIn([
      HOST + aliases.join(" "),
      KEY_ALIAS + handle,
      ...(user !== undefined && isUser(user) ? [USER_LINE + user] : []),
      `  ProxyCommand ${program} connect ${handle} %p`,
    ]);
  };
  const told = names.named.filter(({ aliases }) => aliases.length > 0);
  const servers = [...Map.groupBy(told, ({ host }) => host.serverKey).values()];
  const { blocks, short } = shortened(servers, blockOf);
  const kept = fairly(blocks, TEXT_MAX, lengthOf);
  const left = servers.flatMap((hosts, index) => hosts.slice(kept[index]?.length));
  // somebody who means one of several is told which there are, also by what is said of all other names
  const refused = names.ambiguous
    .slice(0, AMBIGUOUS_MAX)
    .map((written) =>
      blockIn([HOST + written.join(" "), `  ProxyCommand ${program} connect ${written[0]} %p`]),
    );
  const text = [blockIn(HEADER), ...kept.flat(), ...refused].join("\n");
  return { text, short, left: left.map(({ handle }) => handle) };
}

/** What is said of hosts, by server: of those of a server that has not the room for all of it, with less names. */
function shortened(servers: readonly (readonly Named[])[], blockOf: (named: Named) => string) {
  const whole = servers.map((hosts) => hosts.map(blockOf));
  const wanted = whole.map((blocks) => blocks.reduce((sum, { length }) => sum + length, 0));
  const shares = fairShares(wanted, TEXT_MAX);
  let short = 0;
  const blocks = servers.map((hosts, index) => {
    const all = whole[index] ?? [];
    if ((wanted[index] ?? 0) <= (shares[index] ?? 0)) return all;
    short += hosts.length;
    return hosts.map((each) => blockOf({ ...each, aliases: shortNames(each) }));
  });
  return { blocks, short };
}

function shortNames({ aliases, handle }: Named): readonly string[] {
  const [plainest = handle] = aliases;
  return plainest === handle ? [handle] : [plainest, handle];
}

function blockIn(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}

function lengthOf({ length }: string): number {
  return length;
}

/**
 * Between single quotes no shell that somebody may have takes any other sign for more than itself. Names that hold
 * one of these are no host's and are left to `ssh`.
 */
const UNQUOTABLE = ["'", "\\"];

/**
 * What `ssh` is told of names that are like ours and that no file has told of: the launcher says why. It gets the
 * name where a shell starts it, which takes it for one word, and none on Windows.
 */
export function unknownText(launcher: string): string {
  const isWindows = process.platform === "win32";
  const others = isWindows ? [] : UNQUOTABLE.map((sign) => ` "!*${sign}*"`);
  const name = isWindows ? "" : " '%n'";
  const lines = [
    `${HOST}*${SUFFIX}${others.join("")}`,
    `  ProxyCommand ${proxyProgram(launcher)} unknown${name}`,
  ];
  return `${[...HEADER, "", ...lines].join("\n")}\n`;
}

/**
 * The names by which a text that `configText` made tells of a host, the plainest first. None: it does not tell of it,
 * or not of whom somebody signs in there as.
 */
export function aliasesIn(
  text: string,
  handle: string,
  user: string | undefined,
): readonly string[] {
  const line = `\n${KEY_ALIAS}${handle}\n`;
  // lines of many thousand hosts are not taken apart for one of them
  const at = text.indexOf(line);
  if (at < 0) return [];
  const rest = text.slice(at + line.length);
  const isSame =
    user !== undefined && isUser(user)
      ? rest.startsWith(`${USER_LINE}${user}\n`)
      : !rest.startsWith(USER_LINE);
  const names = text.slice(text.lastIndexOf("\n", at - 1) + 1 + HOST.length, at);
  return isSame ? names.split(" ") : [];
}

/** How `ssh` is told to start the launcher: by a shell, whichever somebody has, or by Windows. */
export function proxyProgram(launcher: string): string {
  if (process.platform === "win32") return withoutTokens(windowsWord(launcher));
  return `/bin/sh ${withoutTokens(shellWord(launcher))}`;
}
