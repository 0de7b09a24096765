import type { Names } from "../hosts.ts";
import { shellWord, windowsWord, withoutTokens } from "./quoting.ts";

/** Names of accounts that every version of `ssh` takes for themselves. */
const USER = /^[A-Za-z0-9_](?:[A-Za-z0-9._@+-]{0,62}[A-Za-z0-9._$])?$/;

/** Whether `ssh` can be told that this is whom somebody signs in as. */
export function isUser(text: string): boolean {
  return USER.test(text);
}

/** What the file about hosts is made from. */
export interface ConfigFacts {
  readonly names: Names;
  /** Whom somebody signs in as, by a host's handle; undefined: as `ssh` decides. */
  readonly userOf: (handle: string) => string | undefined;
  /** The full path of the program that carries the connection. */
  readonly launcher: string;
}

const HEADER = [
  "# Written by RPort for VS Code, and written anew when hosts come and go: what you change here is lost.",
  "# It goes when you choose RPort: Remove Hosts from ssh... in the editor.",
];

/**
 * What `ssh` is told of hosts. Of the texts that a host says of itself only those are in it that are nothing but
 * letters, digits, dots, hyphens and underscores; everything else is computed. Throws `BAD_REQUEST` for a launcher
 * whose path `ssh` cannot be told.
 */
export function configText({ names, userOf, launcher }: ConfigFacts): string {
  const program = proxyProgram(launcher);
  const blocks = names.named.map(({ handle, aliases }) => {
    const user = userOf(handle);
    return [
      `Host ${aliases.join(" ")}`,
      `  HostKeyAlias ${handle}`,
      ...(user !== undefined && isUser(user) ? [`  User ${user}`] : []),
      `  ProxyCommand ${program} connect ${handle} %p`,
    ];
  });
  // somebody who means one of several is told which there are
  const refused = [...names.ambiguous.keys()].map((alias) => [
    `Host ${alias}`,
    `  ProxyCommand ${program} connect ${alias} %p`,
  ]);
  return [HEADER, ...blocks, ...refused].map((lines) => `${lines.join("\n")}\n`).join("\n");
}

/** Whether a text that `configText` made tells of a host, and of whom somebody signs in there as. */
export function tellsOf(text: string, handle: string, user: string | undefined): boolean {
  const next = user !== undefined && isUser(user) ? `User ${user}` : "ProxyCommand ";
  return text.includes(`\n  HostKeyAlias ${handle}\n  ${next}`);
}

/** How `ssh` is told to start the launcher: by a shell, whichever somebody has, or by Windows. */
export function proxyProgram(launcher: string): string {
  if (process.platform === "win32") return withoutTokens(windowsWord(launcher));
  return `/bin/sh ${withoutTokens(shellWord(launcher))}`;
}
