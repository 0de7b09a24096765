/** A release that is not made; its message says why, and what to do. */
export class ReleaseRefused extends Error {
  name = "ReleaseRefused";
}
