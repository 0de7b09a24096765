/** A value for every parameter that a path of the endpoint table has; none names anything. */
export const ENDPOINT_PARAMS: Readonly<Record<string, string>> = {
  clientId: "a-client",
  authId: "an-id",
  secretId: "a-secret",
  tunnelId: "1",
  terminalId: "A".repeat(22),
  recordingId: `${"A".repeat(22)}.1`,
  joinId: "a-join",
  pairingId: "A".repeat(16),
  userName: "anna",
  groupName: "a-group",
  clientGroupId: "a-group",
  invitationId: "abcdefgh",
  prefix: "abcdefgh",
  sessionId: "1",
};
