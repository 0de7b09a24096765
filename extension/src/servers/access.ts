import type { EndpointFile } from "@rport/protocol/endpointFile";
import { RportError } from "@rport/protocol/errors";
import { OneConnection } from "@rport/protocol/local/oneConnection";
import { proveServer } from "@rport/protocol/local/proveServer";
import { isRunning } from "@rport/protocol/local/runningBackends";
import { t } from "@vscode/l10n";
import { type Access, type AccessSource, bearer } from "../api/access.ts";
import { describeError, describeNetworkError } from "../support/describeError.ts";
import type { Environment } from "../support/environment.ts";
import type { Redactor } from "../support/redact.ts";
import { dataDirOf, isLocalUrl, type ServerConfig } from "./config.ts";
import { findLocalBackend } from "./local.ts";
import type { Tokens } from "./tokens.ts";
import type { Authorities } from "./trust/authorities.ts";

/** What looking up access needs. */
export interface AccessDeps {
  readonly environment: Environment;
  readonly tokens: Tokens;
  readonly redactor: Redactor;
  /** Who may vouch for servers beside those whom the editor trusts; without it, nobody. */
  readonly authorities?: Pick<Authorities, "get"> | undefined;
}

/** How to get into a configured server: by its token, or by the local backend's endpoint file. */
export function accessTo(config: ServerConfig, deps: AccessDeps): AccessSource {
  const { environment, redactor } = deps;
  const { url } = config;
  if (!isLocalUrl(url)) return () => byToken(config, deps);
  return async () => {
    const local = await findLocalBackend(environment, dataDirOf(url));
    if (local.kind === "absent") return { kind: "unavailable", reason: local.reason };
    redactor.add(local.endpoint.token);
    return await enterLocal(local.endpoint);
  };
}

async function byToken(config: ServerConfig, deps: AccessDeps): Promise<Access> {
  if (hasIdlePin(config)) return unavailable(IDLE_PIN);
  try {
    const token = await deps.tokens.get(config.url);
    if (token === undefined) return { kind: "noToken" };
    return await vouchedFor(readyAt(config, bearer(token)), deps);
  } catch (error) {
    // not tried again by itself: a keyring may ask for its password at each attempt
    return { kind: "noToken", why: RportError.from(error).message };
  }
}

/** With all who may vouch for the server, where others than usual may; a pinned key needs none. */
async function vouchedFor(access: Access, { authorities }: AccessDeps): Promise<Access> {
  if (access.kind !== "ready" || access.connection !== undefined) return access;
  if (authorities === undefined || !access.url.startsWith("https:")) return access;
  try {
    const ca = await authorities.get();
    return ca === undefined ? access : { ...access, ca };
  } catch (error) {
    return unavailable(describeError(error));
  }
}

/** A key is pinned that the address has no use for: whoever wrote it trusts nobody without it. */
function hasIdlePin({ url, tlsPin }: Pick<ServerConfig, "url" | "tlsPin">): boolean {
  return tlsPin !== undefined && !url.startsWith("https:");
}

/**
 * Access by what is shown in a header, over a connection to the pinned key where there is one. None,
 * and nothing is shown, where a key is pinned and the address is not `https:`.
 */
export function readyAt(
  { url, tlsPin }: Pick<ServerConfig, "url" | "tlsPin">,
  authorization: string,
): Access {
  if (hasIdlePin({ url, tlsPin })) return unavailable(IDLE_PIN);
  if (tlsPin === undefined) return { kind: "ready", url, authorization };
  const connection = new OneConnection(new URL(url).origin, tlsPin);
  return { kind: "ready", url, authorization, connection };
}

/**
 * A connection to the backend of an endpoint file, which may have outlived it: whoever has taken
 * its address since then cannot prove to know the token, and is not shown it.
 */
export async function enterLocal({
  url: written,
  token,
  fingerprint,
  pid,
  tlsPin,
}: EndpointFile): Promise<Access> {
  const url = new URL(written).origin;
  const result = await proveServer({ url, token, fingerprint, tlsPin });
  if (result.kind === "proven") {
    const { connection, authorization } = result;
    return { kind: "ready", url, authorization, fingerprint, connection };
  }
  if (result.kind === "busy") return unavailable(t("The backend is asked for too many proofs."));
  const ended = isRunning(pid) ? undefined : ENDED;
  if (result.kind === "unreachable") {
    return unavailable(
      ended ?? t("Cannot reach {0}: {1}.", url, describeNetworkError(result.cause)),
    );
  }
  return unavailable(
    ended === undefined
      ? t(
          "What answers has not proven that it is the backend of this folder: at {0}. It was told no token.",
          url,
        )
      : `${ended} ${t("Another program answers at {0}. It was told no token.", url)}`,
  );
}

/** A process id that is no longer there; the file of a backend that ended properly is gone, too. */
const ENDED = t("The backend of this folder has ended without cleaning up.");

const IDLE_PIN = t(
  "The entry of this server has a tlsPin, but its address begins with http://, where no TLS key is shown. Write https:// there, or remove the tlsPin.",
);

function unavailable(reason: string): Access {
  return { kind: "unavailable", reason };
}
