import type { Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import type { Owner } from "./account.ts";

/**
 * Whose a file is, and who may use it. The mode is POSIX's; where there is none, it means: readable
 * for its owner alone (`0700`, `0600`), or for everybody (`0755`, `0644`). Without `owner` it is
 * the installing user's.
 */
export interface Access {
  readonly mode: number;
  readonly owner?: Owner;
}

/** By what a file or a folder is known again, whatever has its name by now. */
export type Identity = Pick<Stats, "dev" | "ino">;

/** How a system sets the rights of files and directories. */
export interface AccessRights {
  /** Sets them of a file that is open, whatever has its name by now. */
  setOpen(file: FileHandle, path: string, access: Access): Promise<void>;
  /** Sets them of a directory in a place to which only its owner may write. */
  set(path: string, access: Access): Promise<void>;
  /**
   * Remembers them; the answer brings them back, follows no link that was put there since, and rejects when another
   * account has put anything else there.
   */
  remember(path: string): Promise<() => Promise<void>>;
  /**
   * Makes a file or a directory the caller's, so that it falls to no later account; a directory the caller's alone.
   * Rejects for another one than `made`, where a system can know.
   */
  takeOver(path: string, made?: Identity): Promise<void>;
}
