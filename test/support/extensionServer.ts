import { join } from "node:path";
import { ENDPOINT_FILE } from "@rport/protocol/endpointFile";
import { type AccessSource, bearer } from "../../extension/src/api/access.ts";
import { accessTo } from "../../extension/src/servers/access.ts";
import { LOCAL_URL, type ServerConfig } from "../../extension/src/servers/config.ts";
import { Fleet } from "../../extension/src/servers/fleet.ts";
import { Server } from "../../extension/src/servers/server.ts";
import { Tokens } from "../../extension/src/servers/tokens.ts";
import { systemClock } from "../../extension/src/support/clock.ts";
import type { Environment } from "../../extension/src/support/environment.ts";
import { Redactor } from "../../extension/src/support/redact.ts";
import { LocalTunnels } from "../../extension/src/tunnels/localTunnels.ts";
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
  const access = accessTo(config, { environment, tokens, redactor });
  const server = serverOf(config, access);
  server.connect();
  return {
    server,
    [Symbol.dispose]() {
      server.disconnect();
    },
  };
}

/** An editor window that is signed in to a server with this token, and its tunnels. */
export function editorWindow(url: string, token: string) {
  const access = async () => ({ kind: "ready" as const, url, authorization: bearer(token) });
  const tunnels = new LocalTunnels({
    accessTo: () => access,
    clock: systemClock,
    log: silentLog,
  });
  const fleet = new Fleet({ tunnels, createServer: (config) => serverOf(config, access) });
  fleet.configure([{ name: "remote", url, fingerprint: "" }]);
  const [server] = fleet.servers;
  if (server === undefined) throw new Error(`the editor has no server ${url}`);
  return {
    fleet,
    server,
    tunnels,
    [Symbol.dispose]() {
      fleet.dispose();
      tunnels.closeOf(url);
    },
  };
}

function serverOf(config: ServerConfig, access: AccessSource): Server {
  return new Server({
    config,
    access,
    fetch,
    clock: systemClock,
    log: silentLog,
    random: Math.random,
    rememberFingerprint: () => undefined,
  });
}
