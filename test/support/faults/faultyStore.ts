import type { RportError } from "@rport/protocol/errors";
import type { Edit } from "../../../backend/src/store/edits/edit.ts";
import type { Follower } from "../../../backend/src/store/edits/editFeed.ts";
import type {
  EditStore,
  StoredCredentials,
  StoredPeople,
} from "../../../backend/src/store/edits/editStore.ts";
import type { ClientRecord } from "../../../backend/src/store/records/clientRecord.ts";

/** A write that waits. */
export interface HeldWrite {
  /** Resolves when it has been asked for. */
  readonly arrived: Promise<void>;
  readonly goOn: () => void;
}

/** Picks an edit out of a write. */
export type IsEdit = (edit: Edit) => boolean;
type Write = () => Promise<void>;

/** Stands in the way of a write that has such an edit. */
interface Obstacle {
  readonly isIt: IsEdit;
  readonly meet: (write: Write) => Promise<void>;
  readonly isOnce: boolean;
}

/** A store whose writes can be held, refused, or be the last thing that the process did. */
export class FaultyStore implements EditStore {
  readonly #inner: EditStore;
  readonly #obstacles = new Set<Obstacle>();
  #isStopped = false;
  /** Writes that were asked for. */
  writes = 0;

  constructor(inner: EditStore) {
    this.#inner = inner;
  }

  readCredentials(): Promise<StoredCredentials> {
    return this.#inner.readCredentials();
  }

  readClients(): Promise<ClientRecord[]> {
    return this.#inner.readClients();
  }

  readPeople(): StoredPeople {
    return this.#inner.readPeople();
  }

  async commit(edits: readonly Edit[], ahead: readonly Edit[] = []): Promise<void> {
    await this.settle([...ahead, ...edits]);
    this.#inner.announce(edits);
  }

  announce(edits: readonly Edit[]): void {
    this.#inner.announce(edits);
  }

  async settle(edits: readonly Edit[]): Promise<void> {
    if (edits.length === 0) return;
    this.writes += 1;
    if (this.#isStopped) return await stopped();
    const write = () => this.#inner.settle(edits);
    const obstacle = [...this.#obstacles].find(({ isIt }) => edits.some(isIt));
    if (obstacle === undefined) return await write();
    if (obstacle.isOnce) this.#obstacles.delete(obstacle);
    await obstacle.meet(write);
  }

  follow(follower: Follower): void {
    this.#inner.follow(follower);
  }

  turn<T>(key: string, job: () => Promise<T>): Promise<T> {
    return this.#inner.turn(key, job);
  }

  /** Every write that has such an edit fails with this, until the answer is called. */
  refuse(error: RportError, isIt: IsEdit = () => true): () => void {
    const obstacle = { isIt, isOnce: false, meet: () => Promise.reject(error) };
    this.#obstacles.add(obstacle);
    return () => this.#obstacles.delete(obstacle);
  }

  /** The next write that has such an edit fails with this. */
  refuseOnce(error: RportError, isIt: IsEdit = () => true): void {
    this.#obstacles.add({ isIt, isOnce: true, meet: () => Promise.reject(error) });
  }

  /** The next write that has such an edit waits until it is told to go on. */
  hold(isIt: IsEdit): HeldWrite {
    const [arrived, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const meet = async (write: Write): Promise<void> => {
      arrived.resolve();
      await goOn.promise;
      await write();
    };
    this.#obstacles.add({ isIt, isOnce: true, meet });
    return { arrived: arrived.promise, goOn: goOn.resolve };
  }

  /** Something happens before each write that has such an edit. */
  before(isIt: IsEdit, run: () => void | Promise<void>): void {
    const meet = async (write: Write): Promise<void> => {
      await run();
      await write();
    };
    this.#obstacles.add({ isIt, isOnce: false, meet });
  }

  /** Something happens after the next write that has such an edit, before anybody hears of it. */
  after(isIt: IsEdit, run: () => void | Promise<void>): void {
    const meet = async (write: Write): Promise<void> => {
      await write();
      await run();
    };
    this.#obstacles.add({ isIt, isOnce: true, meet });
  }

  /**
   * The process stops right before, or right after, the first write that has such an edit is on
   * disk; resolves then. What waits for that write, or asks for another, waits for ever.
   */
  stopAt(when: "before" | "after", isIt: IsEdit): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const meet = async (write: Write): Promise<void> => {
      this.#isStopped = true;
      if (when === "after") await write();
      resolve();
      await stopped();
    };
    this.#obstacles.add({ isIt, isOnce: true, meet });
    return promise;
  }
}

function stopped(): Promise<void> {
  return new Promise(() => undefined);
}
