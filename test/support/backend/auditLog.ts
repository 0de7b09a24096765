import { createSecretKey } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Head, type SealedEntry, START } from "../../../backend/src/audit/chain.ts";
import type { AuditEntry } from "../../../backend/src/audit/entry.ts";
import { type AuditFollower, AuditLog, type AuditLogDeps } from "../../../backend/src/audit/log.ts";
import { type OpenSegmentFile, openSegmentFile } from "../../../backend/src/audit/segments.ts";
import { type VerifyLogDeps, verifyLog } from "../../../backend/src/audit/verify.ts";
import { FakeClock } from "../clock.ts";
import { testLog } from "../log.ts";
import { tempDirectory } from "../tempDirectory.ts";

/** The key that seals the logs of these tests. */
export const AUDIT_KEY = createSecretKey(Buffer.alloc(32, 7));

/** An index in memory; `entries` is what it was told, in order. */
export class MemoryFollower implements AuditFollower {
  readonly entries: SealedEntry[] = [];
  head: Head = START;

  last(): Promise<Head> {
    return Promise.resolve(this.head);
  }
  add(entries: readonly SealedEntry[]): void {
    this.entries.push(...entries);
    this.head = entries.at(-1) ?? this.head;
  }
}

/** A disk whose calls are counted and fail when told to. */
export class FaultyFiles {
  writes = 0;
  syncs = 0;
  /** What every write fails with, after a part of it was written. */
  failure: NodeJS.ErrnoException | undefined;
  #hold: Promise<void> | undefined;

  readonly open: OpenSegmentFile = async (path, isNew) => {
    const file = await openSegmentFile(path, isNew);
    return {
      ...file,
      write: async (bytes, offset) => {
        this.writes += 1;
        if (this.failure === undefined) return await file.write(bytes, offset);
        await file.write(bytes.subarray(0, bytes.length / 2), offset);
        throw this.failure;
      },
      sync: async () => {
        this.syncs += 1;
        await this.#hold;
        await file.sync();
      },
    };
  };

  /** From now on every sync hangs, until the answer is released. */
  hang(): Disposable & { readonly release: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#hold = promise;
    const release = (): void => {
      this.#hold = undefined;
      resolve();
    };
    return { release, [Symbol.dispose]: release };
  }

  /** From now on the disk is full. */
  fill(): void {
    this.failure = Object.assign(new Error("no space left"), { code: "ENOSPC" });
  }
}

/** A log of its own, with all that a test may look at. */
export interface TestAuditLog extends AsyncDisposable {
  readonly directory: string;
  readonly clock: FakeClock;
  readonly follower: MemoryFollower;
  readonly files: FaultyFiles;
  readonly lines: readonly string[];
  /** The log; it stays the same until `reopen`. */
  audit: AuditLog;
  /** Closes the log and opens it again, as a restart does. */
  reopen(deps?: Partial<AuditLogDeps>): Promise<void>;
  verify(noted?: VerifyLogDeps["noted"]): ReturnType<typeof verifyLog>;
  /** The path of segment `n`. */
  segment(n: number): string;
  segments(): Promise<string[]>;
  /** Replaces the text of segment `n`. */
  edit(n: number, change: (text: string) => string): Promise<void>;
}

/** Opens a log in a directory that goes with it. */
export async function testAuditLog(deps: Partial<AuditLogDeps> = {}): Promise<TestAuditLog> {
  const temp = await tempDirectory();
  const directory = join(temp.path, "audit");
  const [clock, follower, files] = [new FakeClock(), new MemoryFollower(), new FaultyFiles()];
  const { log, lines } = testLog();
  const open = (more: Partial<AuditLogDeps>) =>
    AuditLog.open({
      directory,
      key: AUDIT_KEY,
      follower,
      clock,
      log,
      openFile: files.open,
      ...deps,
      ...more,
    });
  const segment = (n: number) => join(directory, `audit-${n}.ndjson`);
  const self: TestAuditLog = {
    directory,
    clock,
    follower,
    files,
    lines,
    segment,
    audit: await open({}),
    async reopen(more = {}) {
      await self.audit.close();
      self.audit = await open(more);
    },
    verify: (noted) => verifyLog({ directory, key: AUDIT_KEY, noted }),
    segments: async () => (await readdir(directory)).sort(),
    edit: async (n, change) =>
      await writeFile(segment(n), change(await readFile(segment(n), "utf8"))),
    async [Symbol.asyncDispose]() {
      await self.audit.close();
      await temp[Symbol.asyncDispose]();
    },
  };
  return self;
}

/** An entry that differs by its number. */
export function entry(n: number): AuditEntry {
  return {
    application: "client.auth",
    action: "create",
    user: "local",
    remoteIp: "::ffff:192.0.2.1",
    affectedId: `größe-${n}`,
    request: { label: `a "label" \u{1f680}`, cidrs: ["10.0.0.0/8"], max_clients: null },
  };
}
