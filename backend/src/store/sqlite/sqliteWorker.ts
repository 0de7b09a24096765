import type { MessagePort } from "node:worker_threads";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { SqliteFile } from "./sqliteFile.ts";
import type { SqliteFileDeps, SqlRow, WorkerAnswer, WorkerRequest } from "./sqliteMessages.ts";
import { UnfitDatabaseError } from "./unfitDatabase.ts";

/** Most jobs in one transaction: bounds how long a single commit can take. */
const BATCH_MAX = 1_000;

/** SQLite's primary result codes that we tell apart. */
const SQLITE = { busy: 5, ioError: 10, full: 13, cannotOpen: 14, constraint: 19 } as const;

type WriteRequest = Extract<WorkerRequest, { kind: "write" }>;
type ReadRequest = Extract<WorkerRequest, { kind: "read" }>;
type Failure = Pick<Extract<WorkerAnswer, { kind: "failed" }>, "code" | "what">;

if (parentPort !== null) serve(parentPort, workerData);

function serve(port: MessagePort, deps: SqliteFileDeps): void {
  const file = openFile(port, deps);
  if (file === undefined) return;
  const { commit, lost } = file;
  port.postMessage({ kind: "started", commit, lost } satisfies WorkerAnswer);
  let waiting: WorkerRequest[] = [];
  port.on("message", (first: WorkerRequest) => {
    waiting.push(first);
    for (gather(port, waiting); waiting.length > 0; gather(port, waiting)) {
      waiting = serveNext(port, file, waiting);
    }
  });
}

/**
 * Serves all writes in one commit, then one read, so that neither kind waits for all of the other;
 * the end only when nothing else is left. Answers with what is.
 */
function serveNext(
  port: MessagePort,
  file: SqliteFile,
  waiting: readonly WorkerRequest[],
): WorkerRequest[] {
  const writes = waiting.filter((request) => request.kind === "write").slice(0, BATCH_MAX);
  const read = waiting.find((request) => request.kind === "read");
  const served = new Set<WorkerRequest>(writes);
  if (writes.length > 0) for (const answer of runBatch(file, writes)) port.postMessage(answer);
  if (read !== undefined) {
    port.postMessage(runRead(file, read));
    served.add(read);
  }
  const left = waiting.filter((request) => !served.has(request));
  const [last] = left;
  if (last?.kind !== "close") return left;
  end(port, file, last.id);
  return [];
}

function end(port: MessagePort, file: SqliteFile, id: number): void {
  const { commit } = file;
  file.close();
  port.postMessage({ kind: "done", id, rows: [], commit } satisfies WorkerAnswer);
  port.close();
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

/** Takes what queued up meanwhile. */
function gather(port: MessagePort, waiting: WorkerRequest[]): void {
  for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) {
    waiting.push(next.message);
  }
}

/** One transaction, one sync of the disk, however many jobs; each job alone can fail. */
function runBatch(file: SqliteFile, jobs: readonly WriteRequest[]): WorkerAnswer[] {
  try {
    const failures = file.transact(() => jobs.map((job) => runWrite(file, job)));
    return jobs.map(({ id }, index) => failed(id, failures[index]) ?? done(file, id));
  } catch (caught) {
    const failure = failureOf(caught);
    return jobs.map(({ id }) => ({ kind: "failed", id, ...failure }));
  }
}

/** Throws only when the failure ended the whole transaction. */
function runWrite(file: SqliteFile, job: WriteRequest): Failure | undefined {
  try {
    file.runAll(job.statements);
    return undefined;
  } catch (caught) {
    if (!file.isInTransaction) throw caught;
    return failureOf(caught);
  }
}

function runRead(file: SqliteFile, { id, query }: ReadRequest): WorkerAnswer {
  try {
    return done(file, id, file.rows(query));
  } catch (caught) {
    return { kind: "failed", id, ...failureOf(caught) };
  }
}

function done({ commit }: SqliteFile, id: number, rows: readonly SqlRow[] = []): WorkerAnswer {
  return { kind: "done", id, rows, commit };
}

function failed(id: number, failure: Failure | undefined): WorkerAnswer | undefined {
  return failure && { kind: "failed", id, code: failure.code, what: failure.what };
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
