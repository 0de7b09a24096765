import type { AccessSource } from "../api/access.ts";
import type { ApiFetch } from "../api/http.ts";
import type { Clock } from "../support/clock.ts";
import type { Log } from "../support/log.ts";
import type { ServerConfig } from "./config.ts";

/** What a server needs from its surroundings. */
export interface ServerDeps {
  readonly config: ServerConfig;
  readonly access: AccessSource;
  readonly fetch: ApiFetch;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 to 1. */
  readonly random: () => number;
  /** Called when a server without a remembered fingerprint has told its own. */
  readonly rememberFingerprint: (fingerprint: string) => void;
}
