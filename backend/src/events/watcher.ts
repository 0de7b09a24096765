/** Somebody who is told. What it throws ends its watching. */
export interface Watcher {
  /** Whether it takes another message now. Once it does again, it says so: `EventHub.resume`. */
  readonly hasRoom: boolean;
  /** Takes a message, UTF-8; all watchers get the same bytes, so nobody may change them. */
  take(message: Buffer): void;
  /** It is told nothing any more: it took too long, or failed. */
  lost(): void;
}
