import type { Log } from "../../../extension/src/support/log.ts";
import { tempDirectory } from "../tempDirectory.ts";
import { type SharedWindowOptions, sharedWindow } from "./sharedWindow.ts";

/** What a window says that holds its tunnels alone. */
export const NOT_SHARED = "tunnels are not shared between windows";
/** What the window that holds the tunnels says of who was sent away. */
export const SENT_AWAY = "somebody came to the tunnels who has not proven to be a window of yours";

const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** What is written down of whom nobody believed. */
export interface Told {
  readonly message: string;
  readonly why: unknown;
}

/** A computer with a storage folder of an editor; what its windows warn of is kept. */
export async function watchedComputer() {
  const stack = new AsyncDisposableStack();
  const { path: storage } = stack.use(await tempDirectory());
  const told: Told[] = [];
  const tell: Log["warn"] = (message, fields) => told.push({ message, why: fields?.why });
  const log: Log = { ...silentLog, warn: tell, error: tell };
  return {
    storage,
    log,
    told,
    async opened(options: SharedWindowOptions = { log }) {
      const window = stack.adopt(sharedWindow(storage, options), (each) => each.dispose());
      await window.load();
      return window;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
