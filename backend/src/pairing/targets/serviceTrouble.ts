import { RportError } from "@rport/protocol/errors";
import { beginningOf } from "@rport/protocol/ownText";

/** What a pairing service can do wrong, by the word that the answer's `detail` has. */
export type ServiceTrouble =
  | "unreachable"
  | "timeout"
  | "not-json"
  | "empty"
  | "bad-code"
  | "past-expiry"
  | "refused"
  | "tampered";

const SENTENCES: Readonly<Record<ServiceTrouble, string>> = {
  unreachable: "cannot be reached",
  timeout: "did not answer in time",
  "not-json": "answered with something else than a pairing service does, perhaps a web page",
  empty: "answered with nothing",
  "bad-code": "gave a code that is none",
  "past-expiry": "gave a pairing that has expired already, or expires too late to be true",
  refused: "refused the pairing",
  tampered: "hands out a script that is not made of what was deposited",
};

/** `PAIRING_SERVICE`: the service did something wrong; `said` is what it says itself, if anything. */
export function serviceTrouble(
  url: string,
  word: ServiceTrouble,
  { said = "", cause }: { readonly said?: string; readonly cause?: unknown } = {},
): RportError {
  const printable = beginningOf(said.replaceAll(/\p{C}+/gu, " ").trim(), 300);
  const words = printable === "" ? "" : `: ${printable}`;
  const title = `The pairing service ${new URL(url).host} ${SENTENCES[word]}${words}.`;
  return new RportError("PAIRING_SERVICE", title.replace(/\.\.$/, "."), { detail: word, cause });
}
