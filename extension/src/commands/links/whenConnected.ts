import { t } from "@vscode/l10n";
import { ProgressLocation, window } from "vscode";
import type { Server } from "../../servers/server.ts";
import type { Clock } from "../../support/clock.ts";
import { plainText } from "../../support/text.ts";

/** How long somebody who has followed a link waits for its server. */
const PATIENCE_MS = 15_000;

/**
 * Resolves when a server is connected, when only a person can have it connect, or after some
 * seconds; meanwhile it says what is waited for.
 */
export async function whenConnected(server: Server, clock: Clock): Promise<void> {
  if (isSettled(server)) return;
  const title = t("Connecting to {0}...", plainText(server.name));
  await window.withProgress({ location: ProgressLocation.Notification, title }, () =>
    settled(server, clock),
  );
}

function settled(server: Server, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      unsubscribe();
      timer.cancel();
      resolve();
    };
    const timer = clock.after(PATIENCE_MS, end);
    const unsubscribe = server.changed.add(() => {
      if (isSettled(server)) end();
    });
  });
}

function isSettled({ state: { kind } }: Server): boolean {
  return kind === "connected" || kind === "signedOut" || kind === "changed";
}
