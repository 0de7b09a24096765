import { readdir } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { vi } from "vitest";
import type * as vscode from "vscode";
import { z } from "zod";

/** A window with all its extensions is there within seconds; a loaded machine needs more. */
const hostTimeoutMs = 60_000;

const answerSchema = z.object({ value: z.unknown().optional(), error: z.string().optional() });

/**
 * A function to run in the extension host. It is sent as text, so it may use its arguments only.
 */
export type HostFunction<Args extends readonly unknown[], Result> = (
  api: typeof vscode,
  ...args: Args
) => Result | PromiseLike<Result>;

/** Runs functions in the extension host of a server that has the probe extension. */
export class Probe {
  readonly #folder: string;
  #ended: readonly string[] = [];

  /** @param folder where extension hosts put their sockets */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Call it before a window reloads: the next call waits for the new extension host. */
  async expectNewHost(): Promise<void> {
    this.#ended = await readdir(this.#folder);
  }

  /**
   * Runs the function and answers its result; arguments and result travel as JSON. Rejects with the
   * stack of what it threw.
   */
  async run<Args extends readonly unknown[], Result>(
    body: HostFunction<Args, Result>,
    ...args: Args
  ): Promise<Result> {
    const host = await vi.waitFor(() => this.#connectToHost(), {
      timeout: hostTimeoutMs,
      interval: 100,
    });
    host.end(JSON.stringify({ source: String(body), args }));
    const answer = answerSchema.parse(JSON.parse(await text(host)));
    if (answer.error !== undefined) throw new Error(`in the extension host: ${answer.error}`);
    return answer.value as Result;
  }

  /** A host that was killed leaves its socket behind, so each is tried. */
  async #connectToHost(): Promise<Socket> {
    for (const name of await readdir(this.#folder)) {
      if (this.#ended.includes(name)) continue;
      const socket = connect({ path: join(this.#folder, name), allowHalfOpen: true });
      if (await isConnected(socket)) return socket;
    }
    throw new Error("no extension host with the probe");
  }
}

function isConnected(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  });
}
