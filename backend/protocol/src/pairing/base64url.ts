import { z } from "zod";

/** Base64url without padding, of exactly so many characters. */
export const base64url = (characters: number) =>
  z.string().regex(new RegExp(`^[A-Za-z0-9_-]{${characters}}$`));
