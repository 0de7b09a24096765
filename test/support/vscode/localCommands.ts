/** Titles of the palette's commands that need a computer without a backend, or with the editor's own. */
export const LOCAL_COMMANDS: readonly string[] = [
  "Start Local Backend",
  "Stop Local Backend...",
  "Restart Local Backend...",
  "Choose Address of Local Backend...",
  "Show Local Backend Log",
];
