import { t } from "@vscode/l10n";
import { type QuickPickItem, window } from "vscode";
import { LOCAL_URL, localConfig, localUrlOf } from "../../servers/config.ts";
import { findRunning } from "../../servers/runningBackends.ts";
import type { ServerSettings } from "../../servers/settings.ts";
import type { Environment } from "../../support/environment.ts";
import { plainText } from "../../support/text.ts";

/** What using a backend of this computer needs. */
export interface UseLocalDeps {
  readonly settings: ServerSettings;
  readonly environment: Environment;
}

interface LocalItem extends QuickPickItem {
  /** As in the setting. */
  readonly url: string;
}

/** Adds a backend of this computer: the usual one, or, where others run, the one that is picked. */
export async function useLocalBackend({ settings, environment }: UseLocalDeps): Promise<void> {
  const usual: LocalItem = {
    label: t("Local Backend"),
    description: t("in its usual folder"),
    url: LOCAL_URL,
  };
  const others = (await findRunning(environment)).map(
    ({ dataDir, url }): LocalItem => ({
      label: plainText(dataDir),
      description: t("running at {0}", url),
      url: localUrlOf(dataDir),
    }),
  );
  const title = t("Use Local Backend");
  const placeHolder = t("Which backend of this computer?");
  const chosen =
    others.length === 0
      ? usual
      : await window.showQuickPick([usual, ...others], { title, placeHolder });
  const config = chosen === undefined ? undefined : localConfig("", chosen.url);
  if (config !== undefined) await settings.add(config);
}
