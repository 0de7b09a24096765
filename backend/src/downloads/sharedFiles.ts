import { type FileHandle, open } from "node:fs/promises";

/** One piece of a file, in bytes. */
const PIECE_BYTES = 65_536;

interface Shared {
  readonly handle: Promise<FileHandle>;
  users: number;
}

/**
 * Files that many read at once: each is open once, however many read it, and closed when nobody
 * does any more.
 */
export class SharedFiles {
  readonly #open = new Map<string, Shared>();

  /** How many files are open now. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * The bytes of a file from `start` on, up to `end`, in pieces, each read when the one before was
   * taken. `key` tells apart what the same path meant at different times. Fails when the file is
   * shorter.
   */
  async *pieces(
    { path, key }: { readonly path: string; readonly key: string },
    start: number,
    end: number,
  ): AsyncGenerator<Buffer> {
    const shared = this.#take(path, key);
    try {
      const handle = await shared.handle;
      for (let at = start; at < end; ) {
        const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, end - at));
        const { bytesRead } = await handle.read(piece, 0, piece.length, at);
        if (bytesRead === 0) throw new Error(`${path} has become shorter`);
        at += bytesRead;
        yield piece.subarray(0, bytesRead);
      }
    } finally {
      await this.#give(shared, `${key} ${path}`);
    }
  }

  #take(path: string, key: string): Shared {
    const known = this.#open.get(`${key} ${path}`);
    const shared = known ?? { handle: open(path), users: 0 };
    shared.users += 1;
    if (known === undefined) this.#open.set(`${key} ${path}`, shared);
    return shared;
  }

  async #give(shared: Shared, name: string): Promise<void> {
    shared.users -= 1;
    if (shared.users > 0) return;
    this.#open.delete(name);
    // A file that could not be opened was told by whoever read it.
    const handle = await shared.handle.catch(() => undefined);
    await handle?.close();
  }
}
