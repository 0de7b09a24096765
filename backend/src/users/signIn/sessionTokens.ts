import { createSecretKey, type KeyObject } from "node:crypto";
import { errors, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import type { Clock } from "../../platform/clock.ts";
import { readableId } from "../../platform/random.ts";

const ALGORITHM = "HS256";
/** Clocks of a machine are set by seconds; what says that it begins later than that is not ours. */
const TOLERANCE_S = 60;
/** Longer texts are no token of ours. */
const TOKEN_MAX = 4_096;

const claimsSchema = z.object({
  username: z.string().max(200),
  sessionID: z.int().positive(),
  iat: z.number(),
});

/** What a session's token says, once its signature was found to be right. */
export type SessionClaims = z.infer<typeof claimsSchema>;

/**
 * Signs and reads the tokens of sessions: JWTs with RPort's claims. They carry no end: a session
 * ends later each time it is used, and its row says when.
 */
export class SessionTokens {
  readonly #key: KeyObject;
  readonly #clock: Pick<Clock, "now">;

  constructor(key: Buffer, clock: Pick<Clock, "now">) {
    this.#key = createSecretKey(key);
    this.#clock = clock;
  }

  /** Whether a text has the form of such a token. */
  static isLike(text: string): boolean {
    return text.length <= TOKEN_MAX && /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text);
  }

  sign(username: string, sessionID: number): Promise<string> {
    return new SignJWT({ username, sessionID })
      .setProtectedHeader({ alg: ALGORITHM, typ: "JWT" })
      .setIssuedAt(this.#nowS())
      .setJti(readableId(16))
      .sign(this.#key);
  }

  /** Undefined for whatever this server did not sign, and for what begins in the future. */
  async read(token: string): Promise<SessionClaims | undefined> {
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: [ALGORITHM],
        clockTolerance: TOLERANCE_S,
        currentDate: new Date(this.#clock.now()),
      });
      const claims = claimsSchema.safeParse(payload);
      const isOurs = claims.success && claims.data.iat <= this.#nowS() + TOLERANCE_S;
      return isOurs ? claims.data : undefined;
    } catch (caught) {
      if (caught instanceof errors.JOSEError) return undefined;
      throw caught;
    }
  }

  #nowS(): number {
    return Math.floor(this.#clock.now() / 1_000);
  }
}
