import type { ClientGroupParams } from "@rport/protocol/people/clientGroup";
import type { ItemTexts } from "../lists/itemTexts.ts";
import { textPattern } from "../lists/textPattern.ts";
import { type GroupableClient, TRAIT_COLUMNS } from "./groupFit.ts";

/** Parameters whose texts can be the names of single hosts. */
const NAMES_OF_HOSTS = ["client_id", "name", "hostname", "ipv4", "ipv6", "address"] as const;

/**
 * The parameters as somebody is shown them who sees these clients of the group, and no others: of
 * what names hosts, only the texts that fit one of those.
 */
export function seenParams(
  params: ClientGroupParams,
  seen: readonly ItemTexts<GroupableClient>[],
): ClientGroupParams {
  const shown = NAMES_OF_HOSTS.map((trait) => {
    const fits = (text: string): boolean => {
      const isLike = textPattern(text);
      return seen.some((client) => client.of(TRAIT_COLUMNS[trait]).some(isLike));
    };
    return [trait, params[trait]?.filter(fits) ?? params[trait]];
  });
  return { ...params, ...Object.fromEntries(shown) };
}
