import { randomBytes } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readSmallFile } from "@rport/protocol/local/smallFile";
import { beginningOf } from "@rport/protocol/ownText";
import { printableLine } from "@rport/protocol/printable";
import { terminalOfferSchema } from "@rport/protocol/terminal/terminal";
import { z } from "zod";
import type { Clock, Timer } from "../platform/clock.ts";
import { textOf } from "../platform/errorText.ts";
import type { Log } from "../platform/log.ts";
import { replaceFile } from "../platform/replaceFile.ts";
import type { TerminalsNow } from "../terminal/terminals.ts";

/** RPort's words for how the agent is, which its watchdogs read. */
export type AgentState = "initialized" | "connected" | "reconnecting";

/** How often the file is written although nothing changed, so that watchdogs see us live. */
export const STATE_INTERVAL_MS = 60_000;
/** Sixteen accounts with long names are in it. */
const MAX_BYTES = 32 << 10;

const stateSchema = z.object({
  /** RFC 3339. */
  last_update: z.string().max(50),
  /** Seconds since 1970. */
  last_update_ts: z.number(),
  last_state: z.enum(["initialized", "connected", "reconnecting"]),
  last_message: z.string().max(2_000).transform(printableLine),
  /** Ours: the process that wrote it. */
  pid: z.number().int().positive(),
  /** Ours, as `TerminalsNow`; undefined: an agent of before, or nonsense. */
  terminals: z
    .object({ offer: terminalOfferSchema, open: z.number().int().nonnegative() })
    .optional()
    .catch(undefined),
});

/** `state.json`, parsed. */
export type StateFile = z.infer<typeof stateSchema>;

/** Where the state is written below a data directory. */
export function stateFileIn(dataDir: string): string {
  return join(dataDir, "state.json");
}

/**
 * Reads a state file; its message is one line and printable, because the account that the agent runs as may have
 * written anything. Undefined when there is none, a link has its name (each writing puts a file there), or it cannot
 * be understood.
 */
export async function readState(file: string): Promise<StateFile | undefined> {
  try {
    const text = await readSmallFile(file, MAX_BYTES, { followsNoLink: true });
    return stateSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** What the writer of the state needs. */
export interface StateWriterDeps {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Log;
  /** What stands in it about terminals, asked at each writing. */
  readonly terminals?: () => TerminalsNow;
  /** Puts a text in the place of the file; tests give one that takes its time. */
  readonly replace?: (file: string, text: string) => Promise<void>;
}

/**
 * Keeps `state.json` up to date for watchdogs and `wait-online`. Readers see a whole file, never a
 * part. A data directory that cannot be written to is told once and is no reason to stop.
 */
export class StateWriter implements AsyncDisposable {
  readonly #deps: StateWriterDeps;
  readonly #file: string;
  #state: AgentState = "initialized";
  #message = "";
  #timer: Timer | undefined;
  /** The newest text that is not written; a server can change the state faster than a disk writes. */
  #unwritten: string | undefined;
  #writing: Promise<void> | undefined;
  #hasFailed = false;
  #isClosed = false;

  constructor(deps: StateWriterDeps) {
    this.#deps = deps;
    this.#file = stateFileIn(deps.dataDir);
  }

  /**
   * Records a state; written soon, and fit for a terminal, whatever a peer said. What is changed again
   * while another text is being written is left out.
   */
  set(state: AgentState, message: string): void {
    if (this.#isClosed) return;
    this.#state = state;
    this.#message = printableLine(beginningOf(message, 1_000));
    this.#write();
  }

  /** Writes it again, because what else stands in it has changed. */
  renew(): void {
    if (!this.#isClosed) this.#write();
  }

  /** Writes a last state, waits for it, and stops. */
  async close(message: string): Promise<void> {
    this.set("initialized", message);
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close("the agent has stopped");
  }

  #write(): void {
    this.#timer?.cancel();
    this.#timer = this.#deps.clock.after(STATE_INTERVAL_MS, () => this.#write());
    this.#unwritten = this.#describe();
    this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    while (this.#unwritten !== undefined) {
      const text = this.#unwritten;
      this.#unwritten = undefined;
      await this.#replace(text);
    }
    this.#writing = undefined;
  }

  #describe(): string {
    const now = this.#deps.clock.now();
    const state: StateFile = {
      last_update: new Date(now).toISOString(),
      last_update_ts: Math.floor(now / 1_000),
      last_state: this.#state,
      last_message: this.#message,
      pid: process.pid,
      terminals: this.#deps.terminals?.(),
    };
    return `${JSON.stringify(state)}\n`;
  }

  async #replace(text: string): Promise<void> {
    const { replace = replaceState } = this.#deps;
    try {
      await replace(this.#file, text);
    } catch (error) {
      if (this.#hasFailed) return;
      this.#hasFailed = true;
      const fields = { file: this.#file, error: textOf(error) };
      this.#deps.log.warn("the state file cannot be written", fields);
    }
  }
}

/** Not synced to disk: after a crash of the machine nobody needs it. */
async function replaceState(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(temporary, text, { mode: 0o644 });
    await replaceFile(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}
