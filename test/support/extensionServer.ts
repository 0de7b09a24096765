import { join } from "node:path";
import { ENDPOINT_FILE } from "@rport/protocol/endpointFile";
import { accessTo } from "../../extension/src/servers/access.ts";
import { LOCAL_URL } from "../../extension/src/servers/config.ts";
import { Server } from "../../extension/src/servers/server.ts";
import { Tokens } from "../../extension/src/servers/tokens.ts";
import { systemClock } from "../../extension/src/support/clock.ts";
import type { Environment } from "../../extension/src/support/environment.ts";
import { Redactor } from "../../extension/src/support/redact.ts";
import { silentLog } from "../unit/extension/serverFixture.ts";

/** The extension's server for the backend of a data directory, found by its endpoint file. */
export function localServer(dataDir: string) {
  const environment: Environment = {
    platform: process.platform,
    homeDirectory: dataDir,
    uid: process.getuid?.(),
    variable: (name) => (name === "RPORT_ENDPOINT_FILE" ? join(dataDir, ENDPOINT_FILE) : undefined),
  };
  const redactor = new Redactor();
  const store = { get: async () => undefined, store: async () => {}, delete: async () => {} };
  const tokens = new Tokens({ store, redactor });
  const config = { name: "local", url: LOCAL_URL, fingerprint: "" };
  const server = new Server({
    config,
    access: accessTo(config, { environment, tokens, redactor }),
    fetch,
    clock: systemClock,
    log: silentLog,
    random: Math.random,
    rememberFingerprint: () => undefined,
  });
  server.connect();
  return {
    server,
    [Symbol.dispose]() {
      server.disconnect();
    },
  };
}
