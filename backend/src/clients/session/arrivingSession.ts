import type { SecretId } from "@rport/protocol/ids";
import type { LiveSession } from "../liveSession.ts";

/** A session whose agent introduces itself, and what the introduction does with it. */
export interface ArrivingSession extends LiveSession {
  /** Where the agent connects from. */
  readonly address: string;
  /** Resolves when the connection has ended. */
  readonly closed: Promise<unknown>;
  /** Whether channels opened from now on know half-close. */
  halfClose: boolean;
  /** The agent may be the client it says it is, with this secret. */
  admitted(secretId: SecretId): void;
  /** Its client is in: it may send what a client may, and not only an introduction. */
  allowMessages(): void;
  /** From now on it speaks for no client, and nobody waits for it; harmless when it never did. */
  letGo(): void;
}
