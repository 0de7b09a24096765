/**
 * The file is a database, but not one to go on with: empty, damaged, from a newer program, or
 * without changes that it had. The message is half a sentence about it.
 */
export class UnfitDatabaseError extends Error {}
