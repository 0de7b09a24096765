import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Limits } from "../limits/limits.ts";
import type { Clock } from "../platform/clock.ts";
import { networkOf } from "../platform/network.ts";
import type { AgentFile } from "./agentFiles.ts";
import type { ByteRange } from "./byteRange.ts";

/** A download that is slower than this, in bytes a second, makes room when all are taken. */
const SLOW_BYTES_PER_S = 8_192;
/** So long nobody asks how fast it is. */
const GRACE_S = 10;

/** What downloads need. */
export interface DownloadsDeps {
  readonly limits: Pick<Limits, "max" | "bite" | "watch">;
  readonly clock: Pick<Clock, "monotonic">;
  /** The reader of this socket has taken some of what it asked for. */
  readonly onProgress: (socket: Duplex) => void;
}

/** Where a download goes to. */
export interface Receiver {
  /** Its headers are set. */
  readonly response: ServerResponse;
  readonly address: string;
}

/** The files that are being sent: so many at once, because each takes memory and work. */
export class Downloads {
  readonly #deps: DownloadsDeps;
  readonly #running = new Set<Download>();

  constructor(deps: DownloadsDeps) {
    this.#deps = deps;
    deps.limits.watch("downloads", () => this.#running.size);
  }

  /**
   * Sends a part of a file as the body of an answer; resolves when it is out. Returns undefined when
   * there are too many downloads already: nothing was sent then.
   */
  send(
    file: AgentFile,
    part: ByteRange,
    { response, address }: Receiver,
  ): Promise<void> | undefined {
    const { limits, clock } = this.#deps;
    const network = networkOf(address);
    if (this.#running.size >= limits.max("downloads")) {
      limits.bite("downloads", { address });
      if (!this.#makeRoom(network)) return undefined;
    }
    const download = new Download(response, network, clock.monotonic());
    this.#running.add(download);
    return this.#run(download, file.pieces(part.start, part.end));
  }

  async #run(download: Download, pieces: AsyncIterable<Buffer>): Promise<void> {
    try {
      await download.run(pieces, this.#deps.onProgress);
    } finally {
      this.#running.delete(download);
    }
  }

  /** One that is slow makes room, or one of a network that has more than its share beside this one. */
  #makeRoom(network: string): boolean {
    const nowMs = this.#deps.clock.monotonic();
    const slow = [...this.#running].filter((one) => one.bytesPerS(nowMs) < SLOW_BYTES_PER_S);
    const slowest = slowestOf(slow, nowMs) ?? slowestOf(this.#crowdBeside(network), nowMs);
    if (slowest === undefined) return false;
    this.#running.delete(slowest);
    slowest.end();
    return true;
  }

  /** The downloads of the network that has most; none when this one had as many with one more. */
  #crowdBeside(network: string): readonly Download[] {
    const byNetwork = Map.groupBy(this.#running, (one) => one.network);
    const own = byNetwork.get(network)?.length ?? 0;
    const [most = []] = [...byNetwork.values()].sort((one, other) => other.length - one.length);
    return most.length > own + 1 ? most : [];
  }
}

function slowestOf(downloads: readonly Download[], nowMs: number): Download | undefined {
  const [first, ...others] = downloads;
  return others.reduce(
    (slowest, one) =>
      slowest === undefined || one.bytesPerS(nowMs) < slowest.bytesPerS(nowMs) ? one : slowest,
    first,
  );
}

/** One file on its way. */
class Download {
  /** Where it goes to. */
  readonly network: string;
  readonly #response: ServerResponse;
  readonly #startedMs: number;
  #bytes = 0;

  constructor(response: ServerResponse, network: string, nowMs: number) {
    this.network = network;
    this.#response = response;
    this.#startedMs = nowMs;
  }

  async run(
    content: AsyncIterable<Buffer>,
    onProgress: DownloadsDeps["onProgress"],
  ): Promise<void> {
    await pipeline(content, (pieces) => this.#counted(pieces, onProgress), this.#response);
  }

  /** How fast it has been on the whole; infinite while it is young. */
  bytesPerS(nowMs: number): number {
    const seconds = (nowMs - this.#startedMs) / 1_000;
    return seconds < GRACE_S ? Number.POSITIVE_INFINITY : this.#bytes / seconds;
  }

  end(): void {
    this.#response.destroy();
  }

  /** A piece is asked for when there is room for it, so the reader has taken one before. */
  async *#counted(
    pieces: AsyncIterable<Buffer>,
    onProgress: DownloadsDeps["onProgress"],
  ): AsyncGenerator<Buffer> {
    const { socket } = this.#response;
    for await (const piece of pieces) {
      if (socket !== null) onProgress(socket);
      yield piece;
      this.#bytes += piece.length;
    }
  }
}
