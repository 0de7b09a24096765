import { access, readFile } from "node:fs/promises";

/** What only the operating system's own files or programs tell of a host, in RPort's words. */
export interface SystemFacts {
  readonly OSFullName: string;
  readonly OSVersion: string;
  readonly OSFamily: string;
  readonly OSVirtualizationSystem: string;
  readonly OSVirtualizationRole: string;
  readonly CPUFamily: string;
  readonly CPUModel: string;
  readonly CPUVendor: string;
  /** With what `uname -a` ends here. */
  readonly unameEnd: readonly string[];
}

/** How a system tells about itself. */
export interface Inventory {
  /** Go's name of the system, which RPort's servers and scripts expect: `linux`, `darwin`, ... */
  readonly kernel: string;
  /** Never rejects: what cannot be found is `UNKNOWN`. */
  read(files: HostFiles): Promise<SystemFacts>;
}

/** What RPort's client says for what it does not find. */
export const UNKNOWN = "unknown";

/** Small files that tell about the host. */
export interface HostFiles {
  /** The text of a file; empty when it is missing or does not come in time. */
  read(path: string): Promise<string>;
  exists(path: string): Promise<boolean>;
}

/** The files of this machine. They all get that long together: a mount may hang. */
export function hostFiles(timeoutMs: number): HostFiles {
  const signal = AbortSignal.timeout(timeoutMs);
  return {
    read: (path) => {
      const reading = readFile(path, { encoding: "utf8", signal }).catch(() => "");
      return Promise.race([reading, aborted(signal, "")]);
    },
    exists: (path) => {
      const looking = access(path).then(
        () => true,
        () => false,
      );
      return Promise.race([looking, aborted(signal, false)]);
    },
  };
}

function aborted<T>(signal: AbortSignal, value: T): Promise<T> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(value), { once: true });
  });
}
