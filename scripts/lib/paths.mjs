// Where things are: the checkout, and the folder for what tests download once.
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's top folder. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Outside the checkout, so that a fresh clone finds what an earlier one fetched. */
export const testCache = process.env.RPORT_TEST_CACHE ?? join(homedir(), ".cache", "rport-tests");

const inPath = (folder) => !/[\\/]node_modules[\\/]\.bin[\\/]?$/.test(folder);

/** PATH without any npm package's programs: for npm itself, which may replace them. */
export const systemPath = (process.env.PATH ?? "").split(delimiter).filter(inPath).join(delimiter);

/** PATH on which `node` is the Node that npm installed for this checkout. */
export const projectPath = [join(root, "node_modules", ".bin"), systemPath].join(delimiter);
