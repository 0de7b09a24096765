/**
 * Somebody who has a share of what all have. What is kept of it goes by `accountId`: whoever takes
 * another name has no other share. The name is what the log says.
 */
export interface Sharer {
  readonly accountId: string;
  readonly name: string;
}

/** Whoever had the name, where nobody knows any more which account that was; "": no user. */
export function sharerNamed(name: string): Sharer {
  return { accountId: `named ${name}`, name };
}

/** No user: whoever comes to what hosts asked for themselves. All of them have one share. */
export const NOBODY = sharerNamed("");
