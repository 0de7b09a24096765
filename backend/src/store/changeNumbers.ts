/** Numbers that only ever grow, one of each file in which changes are kept. */
export interface ChangeNumbers {
  /** Of commits of `rport.sqlite`. */
  readonly commit: number;
  /** Of writings of `rport.json`. */
  readonly revision: number;
}

/** Where nothing was ever counted. */
export const NOTHING_COUNTED: ChangeNumbers = { commit: 0, revision: 0 };
