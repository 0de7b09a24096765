/** Values of VS Code settings by their full names. */
export type Settings = Readonly<Record<string, unknown>>;

/**
 * What keeps a workbench quiet under test: nothing opens a tab, a dialog or a toast of its own, or
 * calls out, and the terminal is drawn as text that can be read back.
 */
export const quietSettings: Settings = {
  "chat.disableAIFeatures": true,
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  "extensions.ignoreRecommendations": true,
  "files.autoSave": "off",
  "git.enabled": false,
  "remote.autoForwardPorts": false,
  "telemetry.telemetryLevel": "off",
  "terminal.integrated.defaultProfile.linux": "bash",
  "terminal.integrated.enablePersistentSessions": false,
  "terminal.integrated.gpuAcceleration": "off",
  "terminal.integrated.shellIntegration.enabled": false,
  "window.confirmBeforeClose": "never",
  "window.dialogStyle": "custom",
  "workbench.enableExperiments": false,
  "workbench.reduceMotion": "on",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
};

/** Built-in extensions that are left out of a test server. */
export const skippedBuiltins = [
  "vscode.debug-auto-launch",
  "vscode.git",
  "vscode.git-base",
  "vscode.github",
  "vscode.merge-conflict",
];

/** The colour themes to look at: value of `workbench.colorTheme`, class of the workbench. */
export const themes = {
  dark: { name: "Default Dark Modern", className: "vs-dark" },
  light: { name: "Default Light Modern", className: "vs" },
  highContrast: { name: "Default High Contrast", className: "hc-black" },
  highContrastLight: { name: "Default High Contrast Light", className: "hc-light" },
} as const;

/** One of the colour themes. */
export type Theme = keyof typeof themes;
