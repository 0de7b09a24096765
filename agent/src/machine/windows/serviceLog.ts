import { appendFile, rename, stat } from "node:fs/promises";
import { win32 } from "node:path";
import { textOf } from "../../platform/errorText.ts";

/** A log that is longer when the service starts is put aside; one such is kept. */
const MAX_BYTES = 8 << 20;

/** What was put aside of a log. */
export const previousLog = (file: string) => `${file}.1`;

/** Where a service writes its log when its configuration names no file: it has no standard error. */
export const serviceLogOf = (config: string) =>
  win32.join(win32.dirname(config), "rport-agent.log");

/** Puts a long log aside. Not being able to is no reason not to start. */
export async function putAside(file: string): Promise<void> {
  const { size } = await stat(file).catch(() => ({ size: 0 }));
  if (size > MAX_BYTES) await rename(file, previousLog(file)).catch(() => {});
}

/** Writes down why a service could not start. */
export async function noteFailure(file: string, error: unknown): Promise<void> {
  const line = JSON.stringify({
    time: new Date().toISOString(),
    level: "error",
    message: textOf(error),
  });
  await appendFile(file, `${line}\n`, { mode: 0o600 }).catch(() => {});
}
