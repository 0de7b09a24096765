import { chmod, lstat, mkdir } from "node:fs/promises";

/** Makes sure of a folder that nobody but this person can enter. Rejects when it is somebody else's. */
export async function ensureOwnFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const person = process.geteuid?.();
  // On Windows the folder has the access list of the one around it, a profile's.
  if (person === undefined) return;
  const { uid } = await lstat(path);
  if (uid !== person) throw new Error(`${path} belongs to somebody else`);
  await chmod(path, 0o700);
}
