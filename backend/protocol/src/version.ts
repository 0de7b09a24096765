/**
 * Version of backend, agent and extension: one number, in one place. A test compares it with the
 * package files.
 */
export const VERSION = "0.1.0";
