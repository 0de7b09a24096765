/** Names of accounts that every version of `ssh` takes for themselves. */
export const USER = /^[A-Za-z0-9_](?:[A-Za-z0-9._@+-]{0,62}[A-Za-z0-9._$])?$/;

/** Whether `ssh` can be told that this is whom somebody signs in as. */
export function isUser(text: string): boolean {
  return USER.test(text);
}

/** What settings say of accounts. */
export interface AccountSettings {
  /** For all hosts; empty: as `ssh` decides. */
  readonly user: unknown;
  /** By what a host is known by forever. */
  readonly users: Readonly<Record<string, unknown>>;
}

/** Which of the settings name an account that `ssh` cannot be told of, and that is not used therefore. */
export function doubtfulAccounts({
  user,
  users,
}: AccountSettings): readonly (keyof AccountSettings)[] {
  const isDoubtful = (text: unknown) =>
    text !== undefined && text !== "" && (typeof text !== "string" || !isUser(text));
  return [
    ...(isDoubtful(user) ? ["user" as const] : []),
    ...(Object.values(users).some(isDoubtful) ? ["users" as const] : []),
  ];
}
