import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { CliFailure, EXIT } from "../../cli/cliFailure.ts";
import { type Ffi, type ForeignCallback, foreignFunctions, wideText } from "../../platform/ffi.ts";
import type { ServiceSession } from "../serviceSession.ts";
import { SERVICE_NAME } from "./layouts.ts";

/** SERVICE_WIN32_OWN_PROCESS. */
const OWN_PROCESS = 0x10;
/** SERVICE_ACCEPT_STOP and SERVICE_ACCEPT_SHUTDOWN. */
const ACCEPTED = 0x1 | 0x4;
/** States of a service. */
const STOPPED = 1;
const START_PENDING = 2;
const STOP_PENDING = 3;
const RUNNING = 4;
/** Controls: what the service manager wants. */
const STOP = 1;
const SHUTDOWN = 5;
/** How long the next change of state may take, in milliseconds. */
const HINT_MS = 20_000;
const LIBRARY = "advapi32.dll";

/**
 * Listens to the service manager. The call returns when the service has stopped, so it blocks a thread
 * of its own, which does nothing else.
 */
const DISPATCHER = `
const { parentPort, workerData } = require("node:worker_threads");
const { dlopen, ptr } = process.getBuiltinModule("bun:ffi");
const { symbols } = dlopen(${JSON.stringify(LIBRARY)}, {
  StartServiceCtrlDispatcherW: { args: ["ptr"], returns: "i32" },
});
const name = Buffer.from(workerData.name + "\\0", "utf16le");
const table = new BigUint64Array([BigInt(ptr(name)), BigInt(workerData.main), 0n, 0n]);
parentPort.postMessage(symbols.StartServiceCtrlDispatcherW(ptr(table)));
`;

const SIGNATURES = {
  RegisterServiceCtrlHandlerW: { args: ["ptr", "ptr"], returns: "ptr" },
  SetServiceStatus: { args: ["ptr", "ptr"], returns: "i32" },
} as const;

/** A process that the service manager of Windows started, and that tells it how it is. */
class WindowsSession implements ServiceSession {
  readonly stop: Promise<string>;
  readonly #ffi: Ffi;
  readonly #library;
  readonly #name = wideText(SERVICE_NAME);
  /** Both are called by Windows as long as the process lives. */
  readonly #handler: ForeignCallback;
  readonly #main: ForeignCallback;
  #handle = 0;
  #state = START_PENDING;
  #joined: () => void = () => {};
  #stopping: (why: string) => void = () => {};

  constructor(ffi: Ffi) {
    this.#ffi = ffi;
    this.#library = ffi.dlopen(LIBRARY, SIGNATURES).symbols;
    this.stop = new Promise((resolve) => {
      this.#stopping = resolve;
    });
    this.#handler = new ffi.JSCallback((control = 0) => this.#control(control), {
      args: ["u32"],
      returns: "void",
      threadsafe: true,
    });
    this.#main = new ffi.JSCallback(() => this.#register(), {
      args: ["u32", "ptr"],
      returns: "void",
      threadsafe: true,
    });
  }

  /** Resolves when the service manager has taken this process for the service. */
  async join(): Promise<void> {
    const joined = new Promise<void>((resolve) => {
      this.#joined = resolve;
    });
    const workerData = { name: SERVICE_NAME, main: this.#main.ptr };
    const worker = new Worker(DISPATCHER, { eval: true, workerData });
    const ended = once(worker, "message").then(() => {
      if (this.#handle !== 0) return;
      const sentence = "The service manager of Windows did not start this process.";
      throw new CliFailure(EXIT.usage, `${sentence} --service is for services only.`);
    });
    await Promise.race([joined, ended]);
    ended.catch(() => {});
  }

  running(): void {
    this.#set(RUNNING);
  }

  ended(): void {
    this.#set(STOPPED);
  }

  #register(): void {
    const { ptr } = this.#ffi;
    this.#handle = this.#library.RegisterServiceCtrlHandlerW(ptr(this.#name), this.#handler.ptr);
    this.#set(START_PENDING);
    this.#joined();
  }

  #control(control: number): void {
    if (control !== STOP && control !== SHUTDOWN) {
      this.#set(this.#state);
      return;
    }
    this.#set(STOP_PENDING);
    this.#stopping(control === STOP ? "service stop" : "shutdown");
  }

  #set(state: number): void {
    this.#state = state;
    const isPending = state === START_PENDING || state === STOP_PENDING;
    const accepted = state === RUNNING ? ACCEPTED : 0;
    const hint = isPending ? HINT_MS : 0;
    const status = new Uint32Array([OWN_PROCESS, state, accepted, 0, 0, 0, hint]);
    this.#library.SetServiceStatus(this.#handle, this.#ffi.ptr(status));
  }
}

/**
 * Tells the service manager that this is the service it is starting. Rejects with a usage `CliFailure`
 * when it is starting none.
 */
export async function joinServiceManager(): Promise<ServiceSession> {
  const ffi = foreignFunctions();
  if (ffi === undefined) {
    throw new CliFailure(EXIT.unsupported, "Node cannot be a service of Windows.");
  }
  const session = new WindowsSession(ffi);
  await session.join();
  return session;
}
