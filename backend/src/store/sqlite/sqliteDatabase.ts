import { Worker } from "node:worker_threads";
import { RportError } from "@rport/protocol/errors";
import { z } from "zod";
import { StartFailure } from "../../platform/startFailure.ts";
import { diskFull } from "../document/document.ts";
import type { Database, Statement } from "./database.ts";
import type { SqliteFileDeps, SqlRow, WorkerAnswer, WorkerRequest } from "./sqliteMessages.ts";

type Unnumbered =
  | { readonly kind: "write"; readonly statements: readonly Statement[] }
  | { readonly kind: "read"; readonly query: Statement }
  | { readonly kind: "close" };

type Started = Extract<WorkerAnswer, { kind: "started" }>;

interface Waiting {
  readonly resolve: (rows: readonly SqlRow[]) => void;
  readonly reject: (reason: RportError) => void;
}

/**
 * SQLite in a worker thread, so that no disk ever stops the event loop. Writes that arrive while
 * a commit runs share the next one, and go before reads that wait.
 */
export class SqliteDatabase implements Database {
  /** How many commits the file lacked that somebody else knows of. */
  readonly lost: number;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #closed: Promise<void> | undefined;
  #isDead = false;
  #commit: number;

  private constructor(worker: Worker, { commit, lost }: Started) {
    this.#worker = worker;
    this.#commit = commit;
    this.lost = lost;
    worker.on("message", (answer: WorkerAnswer) => this.#answered(answer));
    worker.on("error", () => this.#died());
    worker.on("exit", () => this.#died());
  }

  /** Opens the file and brings its schema up to date. Fails with a `StartFailure` naming it. */
  static async open(deps: SqliteFileDeps): Promise<SqliteDatabase> {
    // a bundle has the worker in a file of this name
    const worker = new Worker(
      new URL(/* webpackChunkName: "sqliteWorker" */ "./sqliteWorker.ts", import.meta.url),
      { workerData: deps },
    );
    const answer = await firstAnswer(worker);
    if (answer.kind === "started") return new SqliteDatabase(worker, answer);
    await worker.terminate();
    const { why, what } =
      answer.kind === "startFailed" ? answer : { why: "io" as const, what: "did not start" };
    throw new StartFailure(why, `${deps.path} cannot be used: ${what}. Nothing was changed.`);
  }

  /** The number of the last commit that is known to be durable; 0 where they are not counted. */
  get commit(): number {
    return this.#commit;
  }

  async write(statements: readonly Statement[]): Promise<void> {
    if (statements.length > 0) await this.#ask({ kind: "write", statements });
  }

  async all<T>(query: Statement, schema: z.ZodType<T>): Promise<T[]> {
    return z.array(schema).parse(await this.#ask({ kind: "read", query }));
  }

  close(): Promise<void> {
    this.#closed ??= this.#isDead ? Promise.resolve() : this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const exited = new Promise((resolve) => this.#worker.once("exit", resolve));
    await this.#ask({ kind: "close" });
    await exited;
  }

  #ask(request: Unnumbered): Promise<readonly SqlRow[]> {
    const isLast = request.kind === "close";
    if (this.#isDead || (this.#closed !== undefined && !isLast)) return Promise.reject(closed());
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<readonly SqlRow[]>();
    this.#waiting.set(id, { resolve, reject });
    const numbered: WorkerRequest = { ...request, id };
    this.#worker.postMessage(numbered);
    return promise;
  }

  #answered(answer: WorkerAnswer): void {
    if (answer.kind === "started" || answer.kind === "startFailed") return;
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.kind === "failed") {
      waiting?.reject(toError(answer));
      return;
    }
    this.#commit = answer.commit;
    waiting?.resolve(answer.rows);
  }

  #died(): void {
    this.#isDead = true;
    for (const waiting of this.#waiting.values()) waiting.reject(closed());
    this.#waiting.clear();
  }
}

function firstAnswer(worker: Worker): Promise<WorkerAnswer> {
  return new Promise((resolve, reject) => {
    worker.once("message", (answer: WorkerAnswer) => resolve(answer));
    worker.once("error", reject);
  });
}

function toError(answer: Extract<WorkerAnswer, { kind: "failed" }>): RportError {
  const cause = new Error(answer.what);
  if (answer.code === "DISK_FULL") return diskFull(cause);
  const title =
    answer.code === "CONFLICT"
      ? "The change contradicts what is stored."
      : "The change could not be written to disk.";
  return new RportError(answer.code, title, { cause });
}

function closed(): RportError {
  return new RportError("UNAVAILABLE", "The server is stopping.");
}
