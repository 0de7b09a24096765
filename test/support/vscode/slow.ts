/** For what a window, a server and an agent need together on a busy machine. */
export const SLOW_MS = 60_000;
