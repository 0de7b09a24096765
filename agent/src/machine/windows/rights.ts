import { randomUUID } from "node:crypto";
import { lstat, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import { dirname, join } from "node:path";
import type { Access, AccessRights } from "../accessRights.ts";
import { must, type Programs } from "../programs.ts";
import { SERVICE_NAME } from "./layouts.ts";
import { serviceSid } from "./serviceAccount.ts";

// By numbers: their names differ with the language of Windows.
const SYSTEM = "S-1-5-18";
const ADMINISTRATORS = "S-1-5-32-544";
/** Whoever owns the file. */
const OWNER_RIGHTS = "S-1-3-4";

/** What is below a directory inherits. */
const BELOW = "(OI)(CI)";

/** The arguments of `icacls` for an access: nobody but those who are named, not even by inheritance. */
export function aclArguments(path: string, access: Access, isDirectory: boolean): string[] {
  const below = isDirectory ? BELOW : "";
  const owner = access.owner === undefined ? OWNER_RIGHTS : sidOf(access);
  const grants = [
    `*${SYSTEM}:${below}F`,
    `*${ADMINISTRATORS}:${below}F`,
    // Modify, but not the rights themselves; what its own owner may change is in its own prefix.
    `*${owner}:${below}${owner === OWNER_RIGHTS ? "F" : "M"}`,
  ];
  return [path, "/inheritance:r", "/grant:r", ...grants, "/q"];
}

/** Rights by access control lists. What everybody may read has those of the directory it is in. */
export function aclRights(programs: Programs): AccessRights {
  const icacls = (args: readonly string[]) => must(programs, "icacls.exe", args);
  const set = async (path: string, access: Access, isDirectory: boolean) => {
    if (isPrivate(access)) await icacls(aclArguments(path, access, isDirectory));
  };
  return {
    setOpen: (_file, path, access) => set(path, access, false),
    set: (path, access) => set(path, access, true),
    remember: async (path) => {
      const saved = await saveAcl(icacls, path);
      return () => restoreAcl(icacls, path, saved);
    },
    takeOver: async (path) => {
      const below = (await lstat(path)).isDirectory() ? BELOW : "";
      const kept = [SYSTEM, ADMINISTRATORS].map((sid) => `*${sid}:${below}F`);
      const gone = `*${serviceSid(SERVICE_NAME)}`;
      await icacls([path, "/inheritance:r", "/remove:g", gone, "/grant:r", ...kept, "/q"]);
    },
  };
}

type Icacls = (args: readonly string[]) => Promise<string>;

const isPrivate = ({ mode }: Access) => (mode & 0o077) === 0;

function sidOf({ owner }: Access): string {
  if (owner !== undefined && "sid" in owner) return owner.sid;
  throw new Error("an owner of Unix where a SID is needed");
}

const scratchFile = () => join(os.tmpdir(), `rport-acl-${randomUUID()}`);

/** What `icacls` writes down of a path; undefined when it wrote nothing. */
async function saveAcl(icacls: Icacls, path: string): Promise<Buffer | undefined> {
  const file = scratchFile();
  try {
    await icacls([path, "/save", file, "/q"]);
    return await readFile(file).catch(() => undefined);
  } finally {
    await rm(file, { force: true });
  }
}

async function restoreAcl(icacls: Icacls, path: string, saved: Buffer | undefined): Promise<void> {
  if (saved === undefined) throw new Error(`who had access to ${path} was not written down`);
  const file = scratchFile();
  try {
    await writeFile(file, saved);
    await icacls([dirname(path), "/restore", file, "/q"]);
  } finally {
    await rm(file, { force: true });
  }
}
