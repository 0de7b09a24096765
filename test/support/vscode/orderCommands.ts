/** Titles of the palette's commands that keep clients in order. */
export const ORDER_COMMANDS: readonly string[] = [
  "Group Clients By...",
  "Sort Clients By...",
  "Pin",
  "Unpin",
  "Rename Client...",
  "Edit Tags...",
  "Hide Offline Clients",
  "Show Offline Clients",
];
