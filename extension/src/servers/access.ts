import type { AccessSource } from "../api/access.ts";
import type { Environment } from "../support/environment.ts";
import type { Redactor } from "../support/redact.ts";
import { LOCAL_URL, type ServerConfig } from "./config.ts";
import { findLocalBackend } from "./local.ts";
import type { Tokens } from "./tokens.ts";

/** What looking up access needs. */
export interface AccessDeps {
  readonly environment: Environment;
  readonly tokens: Tokens;
  readonly redactor: Redactor;
}

/** How to get into a configured server: by its token, or by the local backend's endpoint file. */
export function accessTo(config: ServerConfig, deps: AccessDeps): AccessSource {
  const { environment, tokens, redactor } = deps;
  if (config.url !== LOCAL_URL) {
    return async () => {
      const token = await tokens.get(config.url);
      return token === undefined ? { kind: "noToken" } : { kind: "ready", url: config.url, token };
    };
  }
  return async () => {
    const local = await findLocalBackend(environment);
    if (local.kind === "absent") return { kind: "unavailable", reason: local.reason };
    const { url, token } = local.endpoint;
    redactor.add(token);
    return { kind: "ready", url: new URL(url).origin, token };
  };
}
