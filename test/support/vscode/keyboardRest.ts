/** From the palette, and from the menu of a row or the header of a view or an editor. */
const BOTH = [
  ...["Sign In to Server...", "Sign Out of Server...", "Sign In Again..."],
  ...["Review Changed Server Fingerprint...", "Refresh", "Retry Now", "Clear Filter"],
  ...["Show Offline Clients", "Hide Offline Clients", "Unpin", "Install Again..."],
  ...["Show Duplicate...", "Show Earlier Record", "Move Record Here..."],
  ...["Revoke Pairing Code", "Revoke Secret...", "Purge Unused Credentials..."],
  ...["Approve Join", "Deny Join", "Clear Refused Joins"],
  ...["Open Tunnel in Browser", "Open Tunnel in Simple Browser", "Close All Tunnels"],
  ...["Reopen Tunnel", "Reopen All Tunnels", "Forget Tunnel"],
  ...["Filter Audit Log...", "Load More of Audit Log", "Refresh Audit Log"],
  ...["End Session or Token...", "Enable User", "Reset Second Factor...", "Withdraw Invitation"],
  ...["Show Log", "Open Settings"],
];

/** Commands that `keyboardRest.test.ts` tries, beside those of `TRIED_COMMANDS`, by their titles. */
export const REST_COMMANDS: {
  readonly palette: readonly string[];
  readonly menu: readonly string[];
} = {
  palette: [...BOTH, "Get Started"],
  menu: [...BOTH, "Pin", "Close Tunnel", "Rotate What a User Knows..."],
};

/** Commands that `keyboardLocal.test.ts` tries, from the palette and from a header. */
export const LOCAL_REST_COMMANDS: readonly string[] = [
  ...["Use Local Backend", "Start Local Backend", "Stop Local Backend..."],
  ...["Restart Local Backend...", "Choose Address of Local Backend..."],
  "Show Local Backend Log",
];
