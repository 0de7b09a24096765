import type { MessagePort } from "node:worker_threads";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { SqliteFile, UnfitDatabaseError } from "./sqliteFile.ts";
import type { SqliteFileDeps, SqlRow, WorkerAnswer, WorkerRequest } from "./sqliteMessages.ts";

/** Most jobs in one transaction: bounds how long a single commit can take. */
const BATCH_MAX = 1_000;

/** SQLite's primary result codes that we tell apart. */
const SQLITE = { busy: 5, ioError: 10, full: 13, cannotOpen: 14, constraint: 19 } as const;

type Failure = Pick<Extract<WorkerAnswer, { kind: "failed" }>, "code" | "what">;

if (parentPort !== null) serve(parentPort, workerData);

function serve(port: MessagePort, deps: SqliteFileDeps): void {
  const file = openFile(port, deps);
  if (file === undefined) return;
  port.postMessage({ kind: "started" } satisfies WorkerAnswer);
  port.on("message", (first: WorkerRequest) => {
    const batch = gather(port, first);
    const closing = batch.find((request) => request.kind === "close");
    for (const answer of runBatch(file, batch)) port.postMessage(answer);
    if (closing === undefined) return;
    file.close();
    port.postMessage({ kind: "done", id: closing.id, rows: [] } satisfies WorkerAnswer);
    port.close();
  });
}

function openFile(port: MessagePort, deps: SqliteFileDeps): SqliteFile | undefined {
  try {
    return new SqliteFile(deps);
  } catch (caught) {
    const what = caught instanceof Error ? caught.message : String(caught);
    const why = whyNotStarted(caught);
    port.postMessage({ kind: "startFailed", why, what } satisfies WorkerAnswer);
    port.close();
    return undefined;
  }
}

function whyNotStarted(caught: unknown): "inUse" | "data" | "io" {
  if (caught instanceof UnfitDatabaseError) return "data";
  const result = resultOf(caught);
  if (result === SQLITE.busy) return "inUse";
  const isDisk = result === SQLITE.ioError || result === SQLITE.full;
  return isDisk || result === SQLITE.cannotOpen || result === undefined ? "io" : "data";
}

/** The first job and all that queued up while the last commit ran. */
function gather(port: MessagePort, first: WorkerRequest): WorkerRequest[] {
  const batch = [first];
  while (batch.length < BATCH_MAX) {
    const next: { message: WorkerRequest } | undefined = receiveMessageOnPort(port);
    if (next === undefined) break;
    batch.push(next.message);
  }
  return batch;
}

/** One transaction, one sync of the disk, however many jobs; each job alone can fail. */
function runBatch(file: SqliteFile, batch: readonly WorkerRequest[]): WorkerAnswer[] {
  const jobs = batch.filter((request) => request.kind !== "close");
  if (jobs.length === 0) return [];
  try {
    file.exec("BEGIN IMMEDIATE");
    const answers = jobs.map((job) => runJob(file, job));
    file.exec("COMMIT");
    return answers;
  } catch (caught) {
    if (file.isInTransaction) file.exec("ROLLBACK");
    const failure = failureOf(caught);
    return jobs.map((job) => ({ kind: "failed", id: job.id, ...failure }));
  }
}

/** Throws only when the failure ended the whole transaction. */
function runJob(file: SqliteFile, job: Exclude<WorkerRequest, { kind: "close" }>): WorkerAnswer {
  file.exec("SAVEPOINT job");
  try {
    const rows: SqlRow[] = job.kind === "read" ? file.rows(job.query) : [];
    if (job.kind === "write") for (const statement of job.statements) file.run(statement);
    file.exec("RELEASE job");
    return { kind: "done", id: job.id, rows };
  } catch (caught) {
    if (!file.isInTransaction) throw caught;
    file.exec("ROLLBACK TO job; RELEASE job");
    return { kind: "failed", id: job.id, ...failureOf(caught) };
  }
}

function failureOf(caught: unknown): Failure {
  const what = caught instanceof Error ? caught.message : String(caught);
  const result = resultOf(caught);
  if (result === SQLITE.full) return { code: "DISK_FULL", what };
  if (result === SQLITE.constraint) return { code: "CONFLICT", what };
  return { code: "INTERNAL", what };
}

/** The primary result code of an error of SQLite. */
function resultOf(caught: unknown): number | undefined {
  const isOurs = caught instanceof Error && "errcode" in caught;
  return isOurs && typeof caught.errcode === "number" ? caught.errcode & 0xff : undefined;
}
