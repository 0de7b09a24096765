import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const execute = promisify(execFile);

/**
 * What a backend needs of this checkout as a tar archive: its sources, the packages that it depends on,
 * the project's own Node, and what the guide copies. Without the agent's files.
 */
export async function backendArchive(): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), "rport-checkout-"));
  try {
    const file = join(directory, "backend.tar");
    const paths = [
      "backend",
      "packaging",
      "package.json",
      "tsconfig.base.json",
      ...(await packages()),
    ];
    const node = ["node_modules/.bin/node", relative(ROOT, process.execPath)];
    const unwanted = ["--exclude=*.map", "--exclude=backend/protocol/test"];
    await execute("tar", ["-cf", file, "-C", ROOT, ...unwanted, ...paths, ...node]);
    return await readFile(file);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The folders of everything that the backend depends on, from the root of the checkout. */
async function packages(): Promise<readonly string[]> {
  const args = ["ls", "--omit=dev", "--all", "--parseable", "--workspace", "backend"];
  const { stdout } = await execute("npm", args, { cwd: ROOT, maxBuffer: 1 << 24 });
  const folders = stdout.split("\n").map((path) => relative(ROOT, path));
  const own = ["node_modules/rport-backend", "node_modules/@rport/protocol"];
  const others = folders.filter((path) => path.startsWith("node_modules"));
  return [...new Set([...own, ...others])];
}
