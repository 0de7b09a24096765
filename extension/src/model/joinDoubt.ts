import type { Join, JoinReason } from "@rport/protocol/join";
import { t } from "@vscode/l10n";

/** In a row, in a few words: what is odd about a client that waits; empty: nothing is. */
const WORDS: Readonly<Record<JoinReason, string>> = {
  new: "",
  "key-changed": t("shows another host key"),
  "key-missing": t("shows no host key"),
  "other-credential": t("comes with another credential"),
};

/** What is odd about a client that waits, in a few words; empty: nothing is. */
export function doubtWords({ reason }: Join): string {
  return WORDS[reason];
}

/** What is odd about a client that waits, as a sentence; empty: nothing is. */
export function doubtSentence(join: Join): string {
  const { client_id: id, known_credential_id: former } = join;
  switch (join.reason) {
    case "new":
      return "";
    case "key-changed":
      return t("It shows another host key than the one that {0} is known by.", id);
    case "key-missing":
      return t("It does not show the host key that {0} is known by.", id);
    case "other-credential":
      return former === null
        ? t(
            "It comes with {0}, and {1} came with another credential before.",
            join.credential_id,
            id,
          )
        : t("It comes with {0}, and {1} came with {2} before.", join.credential_id, id, former);
  }
}

/** What it means to approve it, as sentences; empty where nothing is odd. */
export function doubtAdvice(join: Join): readonly string[] {
  if (join.reason === "new") return [];
  const { client_id: id, credential_id: credential } = join;
  return [
    t("Approve it if you set {0} up anew: it takes over that client's record and tunnels.", id),
    t("Otherwise deny it: somebody has a secret of {0} and claims to be {1}.", credential, id),
  ];
}

/** Both host keys, a fact a line; empty where nothing is odd. */
export function doubtKeys(join: Join): readonly string[] {
  const { reason, host_key: shown, known_host_key: known } = join;
  if (reason === "new") return [];
  return [
    shown === null ? t("Host key it shows: none") : t("Host key it shows: {0}", shown),
    known === null ? t("Host key that is known: none") : t("Host key that is known: {0}", known),
  ];
}
