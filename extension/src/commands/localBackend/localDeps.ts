import type { Fleet } from "../../servers/fleet.ts";
import type { ListeningMemory } from "../../servers/localBackend/listening.ts";
import type { LocalBackend } from "../../servers/localBackend/localBackend.ts";
import type { ServerSettings } from "../../servers/settings.ts";
import type { Environment } from "../../support/environment.ts";
import type { Log } from "../../support/log.ts";
import type { Redactor } from "../../support/redact.ts";
import type { Targets } from "../targets/targets.ts";

/** What the commands on the local backend need. */
export interface LocalCommandsDeps {
  readonly fleet: Fleet;
  readonly settings: ServerSettings;
  readonly targets: Targets;
  readonly environment: Environment;
  readonly local: LocalBackend;
  readonly listening: ListeningMemory;
  readonly redactor: Redactor;
  readonly log: Log;
  readonly showLog: () => void;
}
