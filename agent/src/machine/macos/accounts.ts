import { type Account, type Accounts, whyNotPlain } from "../account.ts";
import { must, type Programs } from "../programs.ts";
import type { Undo } from "../undo.ts";

/** The mark by which an account is recognised as made by us; only root can change it. */
const REAL_NAME = "RPort agent (made by its installer)";
/** The numbers that are meant for services and stay out of the login window. */
const FIRST_ID = 260;
const LAST_ID = 400;

/** The accounts of macOS, which `dscl` keeps; those of services begin with `_`. */
export function directoryAccounts(programs: Programs): Accounts {
  return {
    defaultName: "_rport",
    whyNot: whyNotPlain,
    whyNoTerminal: async () =>
      "An installation on macOS cannot allow terminals yet: its jobs run as a background service does.",
    find: (name) => findAccount(programs, name),
    ensure: (name, undo) => ensureAccount(programs, name, undo),
    remove: async (name) => {
      const account = await findAccount(programs, name);
      if (account?.isOurs === true) await deleteRecords(programs, name);
    },
  };
}

async function findAccount(programs: Programs, name: string): Promise<Account | undefined> {
  const keys = ["UniqueID", "PrimaryGroupID", "RealName"];
  const { code, stdout } = await programs.run("dscl", [".", "-read", `/Users/${name}`, ...keys]);
  if (code !== 0) return undefined;
  const uid = Number(/^UniqueID:\s+(\d+)$/m.exec(stdout)?.[1]);
  const gid = Number(/^PrimaryGroupID:\s+(\d+)$/m.exec(stdout)?.[1]);
  if (!Number.isInteger(uid) || !Number.isInteger(gid)) return undefined;
  // A name with blanks stands on a line of its own.
  return { name, owner: { uid, gid }, isOurs: stdout.includes(REAL_NAME) };
}

async function ensureAccount(programs: Programs, name: string, undo: Undo): Promise<Account> {
  const existing = await findAccount(programs, name);
  if (existing !== undefined) return existing;
  const id = await freeId(programs);
  undo.add(`remove the user ${name}`, () => deleteRecords(programs, name));
  await create(programs, `/Groups/${name}`, { PrimaryGroupID: id, RealName: REAL_NAME });
  await create(programs, `/Users/${name}`, {
    // First of all, so that even half an account is known as ours.
    RealName: REAL_NAME,
    UniqueID: id,
    PrimaryGroupID: id,
    UserShell: "/usr/bin/false",
    NFSHomeDirectory: "/var/empty",
    IsHidden: "1",
    Password: "*",
  });
  const created = await findAccount(programs, name);
  if (created === undefined) throw new Error(`the user ${name} was made, but is not there`);
  return created;
}

async function create(
  programs: Programs,
  record: string,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  await must(programs, "dscl", [".", "-create", record]);
  for (const [key, value] of Object.entries(values)) {
    await must(programs, "dscl", [".", "-create", record, key, value]);
  }
}

/** A number that neither a user nor a group has. */
async function freeId(programs: Programs): Promise<string> {
  const users = await must(programs, "dscl", [".", "-list", "/Users", "UniqueID"]);
  const groups = await must(programs, "dscl", [".", "-list", "/Groups", "PrimaryGroupID"]);
  const taken = new Set([...`${users}\n${groups}`.matchAll(/(\d+)\s*$/gm)].map(([, id]) => id));
  for (let id = FIRST_ID; id <= LAST_ID; id++) if (!taken.has(String(id))) return String(id);
  throw new Error("all numbers for accounts of services are taken");
}

async function deleteRecords(programs: Programs, name: string): Promise<void> {
  for (const record of [`/Users/${name}`, `/Groups/${name}`]) {
    const isThere = (await programs.run("dscl", [".", "-read", record])).code === 0;
    if (isThere) await must(programs, "dscl", [".", "-delete", record]);
  }
}
