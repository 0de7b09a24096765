/**
 * Titles of the palette's commands that need more than a small fleet that is always there has.
 */
export const LIFE_COMMANDS: readonly string[] = [
  "Show Audit Log",
  "Filter Audit Log...",
  "Load More of Audit Log",
  "Refresh Audit Log",
  "Install Again...",
  "Show Duplicate...",
  "Show Earlier Record",
  "Revoke Client...",
  "Allow Client Again...",
  "Move Record Here...",
  "Finish Rotation...",
  "Cancel Rotation...",
  "Edit Credential...",
  "Purge Unused Credentials...",
  "Revoke Secret...",
  "Clear Refused Joins",
  "Approve Join",
  "Deny Join",
  "Show Who Still Tries",
  "Why Is This Client Offline?",
  "Check Connection...",
  "Get Started",
  "Retry Now",
];
