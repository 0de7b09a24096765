import type { Access } from "../../../extension/src/api/access.ts";
import { LOCAL_URL, type ServerConfig } from "../../../extension/src/servers/config.ts";
import { Server } from "../../../extension/src/servers/server.ts";
import type { Log } from "../../../extension/src/support/log.ts";
import { FakeClock } from "../../support/clock.ts";
import type { FakeServer } from "./fakeServer.ts";

/** A log that nobody reads. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** What may differ from a remote server with a good token. */
export interface ServerFixtureOptions {
  readonly isLocal?: boolean;
  readonly fingerprint?: string;
  readonly access?: () => Promise<Access>;
}

/** A server of the extension, connected to a fake one, on a clock that stands still. */
export function serverOn(fake: Pick<FakeServer, "url">, options: ServerFixtureOptions = {}) {
  const clock = new FakeClock();
  const remembered: string[] = [];
  const url = options.isLocal === true ? LOCAL_URL : fake.url;
  const config: ServerConfig = { name: "relay", url, fingerprint: options.fingerprint ?? "" };
  const ready = async (): Promise<Access> => ({
    kind: "ready",
    url: fake.url,
    authorization: "Bearer good-token",
  });
  const server = new Server({
    config,
    access: options.access ?? ready,
    fetch,
    clock,
    log: silentLog,
    random: () => 1,
    rememberFingerprint: (fingerprint) => remembered.push(fingerprint),
  });
  return {
    server,
    clock,
    remembered,
    [Symbol.dispose]() {
      server.disconnect();
    },
  };
}
