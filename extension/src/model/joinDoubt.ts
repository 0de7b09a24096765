import type { Join, JoinReason } from "@rport/protocol/join";

/** In a row, in a few words: what is odd about a client that waits; empty: nothing is. */
const WORDS: Readonly<Record<JoinReason, string>> = {
  new: "",
  "key-changed": "shows another host key",
  "key-missing": "shows no host key",
  "other-credential": "comes with another credential",
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
      return `It shows another host key than the one that ${id} is known by.`;
    case "key-missing":
      return `It does not show the host key that ${id} is known by.`;
    case "other-credential":
      return `It comes with ${join.credential_id}, and ${id} came with ${former ?? "another credential"} before.`;
  }
}

/** What it means to approve it, as sentences; empty where nothing is odd. */
export function doubtAdvice(join: Join): readonly string[] {
  if (join.reason === "new") return [];
  const { client_id: id, credential_id: credential } = join;
  return [
    `Approve it if you set ${id} up anew: it takes over that client's record and tunnels.`,
    `Otherwise deny it: somebody has a secret of ${credential} and claims to be ${id}.`,
  ];
}

/** Both host keys, a fact a line; empty where nothing is odd. */
export function doubtKeys(join: Join): readonly string[] {
  const { reason, host_key: shown, known_host_key: known } = join;
  if (reason === "new") return [];
  return [`Host key it shows: ${shown ?? "none"}`, `Host key that is known: ${known ?? "none"}`];
}
