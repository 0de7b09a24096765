import type { TerminalWish } from "@rport/protocol/terminal/terminal";
import type { Environment } from "../support/environment.ts";

/** A language of people whose texts are in UTF-8, as a shell takes it. */
const UTF8_LANGUAGE = /^[0-9A-Za-z_.:@+-]{1,58}\.utf-?8$/i;
/** What nearly every host has. */
const USUAL_LANGUAGE = "C.UTF-8";

/** What a shell is told of the editor's terminal, and of the person's language where that can be shown. */
export function ownEnvironment(
  environment: Pick<Environment, "variable">,
): Extract<TerminalWish, { readonly kind: "new" }>["env"] {
  const language = environment.variable("LC_ALL") ?? environment.variable("LANG") ?? "";
  return {
    TERM: "xterm-256color",
    COLORTERM: "truecolor",
    LANG: UTF8_LANGUAGE.test(language) ? language : USUAL_LANGUAGE,
  };
}
