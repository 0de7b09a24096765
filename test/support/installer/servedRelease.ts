import { cp } from "node:fs/promises";
import { join } from "node:path";
import { startBackend } from "../backend/backend.ts";
import { tempDirectory } from "../tempDirectory.ts";
import type { RealRelease } from "./realRelease.ts";

/** A backend, and a way to give it another release while it runs, as an update of a server does. */
export async function serveRelease(first: RealRelease) {
  await using opened = new AsyncDisposableStack();
  const { path } = opened.use(await tempDirectory());
  const replace = async ({ directory }: RealRelease) => {
    await cp(directory, path, { recursive: true });
    // The manifest is the sign that a release is complete; its time tells that it is another one.
    await cp(join(directory, "manifest.json"), join(path, "manifest.json"));
  };
  await replace(first);
  const data = opened.use(await tempDirectory());
  const options = { agentFiles: path, dataDir: data.path };
  const backend = opened.use(await startBackend(options));
  /** Another process of the same server, at the same address. */
  const restart = async () => {
    await backend[Symbol.asyncDispose]();
    const faces = new Set(["agents", "users", "pairing"] as const);
    const places = [{ host: "127.0.0.1", port: backend.port, faces }];
    closing.use(await startBackend({ ...options, places }));
  };
  const closing = opened.move();
  return { backend, replace, restart, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}
