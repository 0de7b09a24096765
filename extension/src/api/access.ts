/** How to get into a server right now. */
export type Access =
  | {
      readonly kind: "ready";
      /** Origin of the users' face, without a slash at the end. */
      readonly url: string;
      readonly token: string;
    }
  | { readonly kind: "noToken" }
  /** A local backend that is not running; `reason` is a sentence. */
  | { readonly kind: "unavailable"; readonly reason: string };

/** Looked up for each request, since the token of a local backend changes at each of its starts. */
export type AccessSource = () => Promise<Access>;
