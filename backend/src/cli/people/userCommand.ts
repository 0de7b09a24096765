import { RportError } from "@rport/protocol/errors";
import type { EndpointCall, EndpointName, EndpointOutput } from "@rport/protocol/http";
import type { Ended, User } from "@rport/protocol/people/user";
import { wrongSetting } from "../../config/check.ts";
import { dataDirFlags } from "../../config/dataDirFlags.ts";
import { systemClock } from "../../platform/clock.ts";
import type { CommandResult, DataDirOf } from "../../platform/commandResult.ts";
import { callRunning } from "../runningBackend.ts";
import { type PasswordPlace, readPassword } from "./passwordInput.ts";
import {
  endOf,
  groupsOf,
  readUserFlags,
  requireTaken,
  scopeOf,
  type UserFlags,
} from "./userFlags.ts";
import { USER_HELP } from "./userHelp.ts";

type Call = <N extends EndpointName>(name: N, call?: EndpointCall<N>) => Promise<EndpointOutput<N>>;

interface Task {
  readonly call: Call;
  /** Who is meant; empty where nobody is. */
  readonly userName: string;
  readonly values: UserFlags["values"];
  /** Where passwords are typed. */
  readonly place: PasswordPlace;
}

/** What to print. */
type Action = (task: Task) => Promise<readonly string[]>;

const ACTIONS: Readonly<Record<string, Action>> = {
  list,
  add,
  passwd,
  disable,
  enable,
  token,
  invite,
};
const NAMES_NOBODY: ReadonlySet<string> = new Set(["list", "invite"]);

/** Runs `user ...`, given the arguments after that word. Fails with a `StartFailure`. */
export async function userCommand(
  argv: readonly string[],
  dataDirOf: DataDirOf,
  place: PasswordPlace = { input: process.stdin, prompts: process.stderr },
): Promise<CommandResult> {
  const { values, positionals } = readUserFlags(argv);
  if (values.help === true) return { lines: [USER_HELP], exitCode: 0 };
  const [command = "", userName = "", ...others] = positionals;
  const action = Object.hasOwn(ACTIONS, command) ? ACTIONS[command] : undefined;
  if (action === undefined) {
    const known = Object.keys(ACTIONS).join(", ");
    throw wrongSetting(`command line: user takes one of ${known}. See user --help.`);
  }
  requireTaken(command, values);
  if (others.length > 0 || (userName === "") !== NAMES_NOBODY.has(command)) {
    const whom = NAMES_NOBODY.has(command) ? "no name" : "one name";
    throw wrongSetting(`command line: user ${command} takes ${whom}. See user --help.`);
  }
  const dataDir = dataDirOf(dataDirFlags(values));
  const call: Call = (name, parts) => callRunning(dataDir, name, parts);
  return await tried(() => action({ call, userName, values, place }));
}

/** What the backend refuses is told in its words. */
async function tried(run: () => Promise<readonly string[]>): Promise<CommandResult> {
  try {
    return { lines: await run(), exitCode: 0 };
  } catch (caught) {
    if (!(caught instanceof RportError)) throw caught;
    const { message, detail } = caught;
    const complaints = [`rport-backend: ${message}${detail === "" ? "" : ` ${detail}`}`];
    return { lines: [], complaints, exitCode: 1 };
  }
}

async function list({ call }: Task): Promise<string[]> {
  const users = await call("listUsers");
  if (users.length === 0) return ["There are no users yet. See user add --help."];
  return users.map(lineOf);
}

function lineOf({ username, groups, disabled, totp, tokens, sessions, sockets }: User): string {
  const facts = [
    groups.length === 0 ? "in no group" : `in ${groups.join(", ")}`,
    ...(disabled ? ["disabled"] : []),
    ...(totp ? ["second factor"] : []),
    `${tokens} tokens, ${sessions} sessions, ${sockets} open sockets`,
  ];
  return `${username}: ${facts.join("; ")}`;
}

async function add({ call, userName, values, place }: Task): Promise<string[]> {
  const password = await readPassword(place);
  const body = {
    username: userName,
    password,
    groups: groupsOf(values),
    display_name: values["display-name"] ?? "",
    password_expired: values.expired === true,
  };
  await call("createUser", { body });
  return [`${userName} can sign in now.`];
}

async function passwd({ call, userName, values, place }: Task): Promise<string[]> {
  const password = await readPassword(place);
  const body = { password, password_expired: values.expired === true };
  await call("updateUser", { params: { userName }, body });
  return [`${userName} has another password. Sessions that began with the old one have ended.`];
}

async function disable({ call, userName, values }: Task): Promise<string[]> {
  const isDry = values["dry-run"] === true;
  const query: { dry_run?: string } = isDry ? { dry_run: "true" } : {};
  const ended = await call("disableUser", { params: { userName }, query });
  const first = isDry
    ? `${userName} would be disabled. This would end:`
    : `${userName} is disabled. This ended:`;
  return [first, ...endedLines(ended)];
}

function endedLines(ended: Ended): string[] {
  return [
    `  personal tokens      ${ended.tokens}`,
    `  sessions             ${ended.sessions}`,
    `  open sockets         ${ended.sockets}`,
    `  tunnel connections   ${ended.editor_connections}`,
    `  pairings             ${ended.pairings}`,
    `  invitations          ${ended.invitations}`,
  ];
}

async function enable({ call, userName }: Task): Promise<string[]> {
  await call("enableUser", { params: { userName } });
  return [`${userName} can sign in again, with the password. Tokens that ended stay ended.`];
}

async function token({ call, userName, values }: Task): Promise<string[]> {
  const { name } = values;
  if (name === undefined) throw wrongSetting("command line: user token needs a --name.");
  const body = { name, scope: scopeOf(values), expires_at: endOf(values, systemClock.now()) };
  const made = await call("createUserToken", { params: { userName }, body });
  return [made.token];
}

async function invite({ call, values }: Task): Promise<string[]> {
  const body = { groups: groupsOf(values), display_name: values["display-name"] ?? "" };
  const { code } = await call("createInvitation", { body });
  return [code];
}
