import type { Undo } from "./undo.ts";

/** Whom the system counts as the owner of a file: by numbers, or, on Windows, by a SID. */
export type Owner =
  | { readonly uid: number; readonly gid: number }
  /** `S-1-5-...`. */
  | { readonly sid: string };

/** A user of the machine. */
export interface Account {
  readonly name: string;
  readonly owner: Owner;
  /** Made by an installer of ours, so that an uninstaller may remove it. */
  readonly isOurs: boolean;
}

/** Accounts that appear in commands and units have only these letters. */
export const ACCOUNT_NAME = /^[a-z_][a-z0-9_-]{0,30}$/;

/** The same for systems on which people may choose any account with a plain name. */
export function whyNotPlain(name: string): string | undefined {
  return ACCOUNT_NAME.test(name) ? undefined : "--user must be a plain lower-case user name.";
}

/** How the accounts of a system are found, made and removed. */
export interface Accounts {
  /** The account that runs the agent unless another one is asked for. */
  readonly defaultName: string;
  /** Why no agent can run as this account, in a sentence; undefined: nothing speaks against it. */
  whyNot(name: string): string | undefined;
  /**
   * Why a shell as this account would be of no use, or cannot be had on this system, in a sentence; undefined
   * where nothing speaks against it.
   */
  whyNoTerminal(name: string): Promise<string | undefined>;
  /** The account of that name, or undefined when the machine has none. */
  find(name: string): Promise<Account | undefined>;
  /** Makes a system account that nobody can log in to, unless the name is taken already. */
  ensure(name: string, undo: Undo): Promise<Account>;
  /** Removes an account and its group, if an installer of ours made it. */
  remove(name: string): Promise<void>;
}
