import { type Disposable, window, workspace } from "vscode";
import type { ApiFetch } from "../../api/http.ts";
import { SECTION, SETTINGS } from "../../manifest.ts";
import { describeError } from "../../support/describeError.ts";
import type { Environment } from "../../support/environment.ts";
import type { Fleet } from "../fleet.ts";
import { Authorities } from "./authorities.ts";
import { trustingFetch } from "./trustingFetch.ts";

/** Whom servers are believed by, and the `fetch` that believes them. */
export interface Trust {
  readonly authorities: Authorities;
  readonly fetch: ApiFetch;
}

/** What the person's settings say of that; a workspace's settings are never looked at. */
export function trustOf(environment: Pick<Environment, "homeDirectory">): Trust {
  const authorities = new Authorities({
    setting: fileOfPerson,
    // who the user is may have to be looked up elsewhere, so it is not asked before a file is named
    get homeDirectory() {
      return environment.homeDirectory;
    },
  });
  return {
    authorities,
    // looked up at each request: the editor may put another one there
    fetch: trustingFetch((url, asked) => fetch(url, asked), authorities),
  };
}

/** States in which a server is connected, or is tried again by itself. */
const TRYING: ReadonlySet<string> = new Set(["connected", "connecting", "waiting"]);

/** Has servers that are believed by their certificate prove themselves anew when that setting has changed. */
export function onTrustChanged(
  fleet: Pick<Fleet, "servers">,
  { authorities }: Pick<Trust, "authorities">,
): Disposable {
  return workspace.onDidChangeConfiguration((event) => {
    if (!event.affectsConfiguration(`${SECTION}.${SETTINGS.caFile}`)) return;
    authorities.get().catch((error: unknown) => window.showErrorMessage(describeError(error)));
    for (const server of fleet.servers) {
      const isVouchedFor = server.key.startsWith("https:") && server.tlsPin === undefined;
      if (isVouchedFor && TRYING.has(server.state.kind)) server.connect();
    }
  });
}

function fileOfPerson(): string {
  const value = workspace.getConfiguration(SECTION).inspect(SETTINGS.caFile)?.globalValue;
  return typeof value === "string" ? value : "";
}
