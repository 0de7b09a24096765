import { constants, readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { devNull } from "node:os";
import type { Clock, Timer } from "./clock.ts";

/** How often it is tried whether there is a descriptor left. */
const LOOK_MS = 5_000;
const OUT_OF_DESCRIPTORS = new Set(["EMFILE", "ENFILE"]);

/**
 * How many files and sockets this process may have open. Node has raised the soft limit to the hard
 * one by then. Undefined where nobody tells, as on Windows, or where there is no limit.
 */
export function descriptorLimit(): number | undefined {
  return process.platform === "linux" ? limitOfLinux() : limitOfReport();
}

function limitOfLinux(): number | undefined {
  const text = readFileSync("/proc/self/limits", "utf8");
  const [, soft] = /^Max open files +(\d+)/m.exec(text) ?? [];
  return soft === undefined ? undefined : Number(soft);
}

function limitOfReport(): number | undefined {
  const { userLimits } = process.report.getReport() as {
    readonly userLimits?: { readonly open_files?: { readonly soft?: unknown } };
  };
  const soft = userLimits?.open_files?.soft;
  return typeof soft === "number" ? soft : undefined;
}

/** Whether an error says that there is no descriptor left, here or in the whole system. */
export function isOutOfDescriptors(caught: unknown): boolean {
  if (!(caught instanceof Error)) return false;
  if ("code" in caught && OUT_OF_DESCRIPTORS.has(String(caught.code))) return true;
  return isOutOfDescriptors(caught.cause);
}

/**
 * Tries every few seconds whether a descriptor is left, and tells when there is none: connections
 * that cannot be accepted for that reason are closed by the runtime, which tells nobody.
 */
export class DescriptorWatch {
  readonly #clock: Clock;
  readonly #onNone: () => void;
  #timer: Timer | undefined;

  constructor(clock: Clock, onNone: () => void) {
    this.#clock = clock;
    this.#onNone = onNone;
  }

  /** From now on it looks. */
  start(): void {
    this.#timer = this.#clock.after(LOOK_MS, () => void this.#look());
  }

  /** It looks no more. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    try {
      const file = await open(devNull, constants.O_RDONLY);
      await file.close();
    } catch (caught) {
      if (isOutOfDescriptors(caught)) this.#onNone();
    }
    if (this.#timer !== undefined) this.start();
  }
}
