/** Titles of the palette's commands on ssh, which `keyboardCommands.test.ts` runs and `ssh.test.ts` proves. */
export const SSH_COMMANDS: readonly string[] = [
  "Connect with Remote-SSH in New Window...",
  "Connect with Remote-SSH...",
  "Copy SSH Command",
  "Remove Hosts from ssh...",
  "Set SSH User...",
  "Set Up ssh for Hosts...",
];
