/** Where everything of an installation lies; absolute paths. */
export interface Layout {
  /** `system` needs root; `prefix` keeps everything below one directory of anybody's. */
  readonly kind: "system" | "prefix";
  /** What people and services start: the executable, or a small script that calls Node. */
  readonly program: string;
  /** The agent's single file for Node; unused by executables. */
  readonly bundle: string;
  readonly config: string;
  readonly dataDir: string;
  /** Of an agent that runs without a service. */
  readonly pidFile: string;
  readonly logFile: string;
  /** Which directories above `prefix` the installer made; only in a prefix. */
  readonly receipt: string | undefined;
}
