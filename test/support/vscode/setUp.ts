import type { Workbench } from "./workbench.ts";

/** Where a setting is written: among the person's own, or into the workspace. */
export type SettingsPlace = "person" | "workspace";

/** Sets a setting as the editor's own page of settings does; without a value, the default counts again. */
export async function setSetting(
  workbench: Workbench,
  { name, value, place = "person" }: { name: string; value?: unknown; place?: SettingsPlace },
): Promise<void> {
  const isPersons = place === "person";
  await workbench.inHost(
    async (vscode, given) => {
      const { Global, Workspace } = vscode.ConfigurationTarget;
      const target = given.isPersons ? Global : Workspace;
      const { value } = given;
      await vscode.workspace.getConfiguration().update(given.name, value ?? undefined, target);
    },
    { name, value: value ?? null, isPersons },
  );
}
