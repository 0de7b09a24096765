import { formatHostPort } from "@rport/protocol/remote";
import type { Memento } from "vscode";
import { z } from "zod";

const KEY = "localBackend.listening";
const LOOPBACK = "127.0.0.1";

const listeningSchema = z.object({ host: z.string().max(64), port: z.int().min(1).max(65_535) });

/** Where the local backend listens for agents, once somebody has chosen that. People are on loopback. */
export type Listening = z.infer<typeof listeningSchema>;

/** Whether only this computer gets through. */
export function isNear({ host }: Listening): boolean {
  return host === LOOPBACK;
}

/** What stands for this computer alone. */
export function nearListening(port: number): Listening {
  return { host: LOOPBACK, port };
}

/** The flags of the backend for a choice; none without one. */
export function listeningArgs(chosen: Listening | undefined): readonly string[] {
  if (chosen === undefined) return [];
  const address = ["--address", formatHostPort(chosen)];
  return isNear(chosen)
    ? address
    : [...address, "--api-address", formatHostPort({ host: LOOPBACK, port: chosen.port })];
}

/** What was chosen, in the editor's own memory: out of reach of settings, and so of any workspace. */
export class ListeningMemory {
  readonly #memory: Pick<Memento, "get" | "update">;

  constructor(memory: Pick<Memento, "get" | "update">) {
    this.#memory = memory;
  }

  /** Undefined: nobody has chosen, and the backend listens where it does by itself. */
  get chosen(): Listening | undefined {
    return listeningSchema.safeParse(this.#memory.get(KEY)).data;
  }

  /** Used from the next start on. */
  async choose(listening: Listening): Promise<void> {
    await this.#memory.update(KEY, listening);
  }
}
