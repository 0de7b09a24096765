import { chownSync, statSync } from "node:fs";

/**
 * Gives a terminal to an account, as a login does: programs open it by its name. Its group and rights
 * are those that the system gives to terminals.
 */
export function giveTo(device: string, uid: number | undefined): void {
  if (uid === undefined) return;
  try {
    chownSync(device, uid, statSync(device).gid);
  } catch {
    // A shell works without it; a program that opens its terminal by name says what it lacks.
  }
}
