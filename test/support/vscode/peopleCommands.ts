/** Titles of the palette's commands that need a server with users. */
export const PEOPLE_COMMANDS: readonly string[] = [
  "Sign In Again...",
  "Rename Server...",
  "Invite User...",
  "Change Groups of User...",
  "Disable User...",
  "Enable User",
  "End Session or Token...",
  "Reset Second Factor...",
  "Rotate What a User Knows...",
  "Withdraw Invitation",
  "Manage My Tokens...",
  "Set Up Authenticator App...",
  "Change My Password...",
];
