/**
 * Somebody who has a share of what all have. What is kept of it goes by `accountId`: whoever takes
 * another name has no other share. The name is what the log says.
 */
export interface Sharer {
  readonly accountId: string;
  readonly name: string;
}
