import type { ServerStatus } from "@rport/protocol/serverStatus";
import type { SheetState } from "@rport/protocol/sheet";
import { t } from "@vscode/l10n";
import { isLoopback } from "../servers/config.ts";
import type { CardAddress } from "../support/cardAddresses.ts";

/** An address that only the server's own machine can reach, and what can be done about it. */
export type NearOnly = NonNullable<SheetState["nearOnly"]>;

/** What is known of the address that a line names. */
export interface AddressFacts {
  /** Where the hosts are told to go. */
  readonly url: string;
  readonly listensTo: ServerStatus["listens_to"];
  /** The addresses of the server's machine; empty where it is not known to be this one. */
  readonly cards: readonly CardAddress[];
}

/** The warning about an address that other hosts cannot reach; undefined: there is nothing to warn of. */
export function nearOnlyOf({ url, listensTo, cards }: AddressFacts): NearOnly | undefined {
  if (!URL.canParse(url) || !isLoopback(url)) return undefined;
  const isOffered = listensTo === "all-addresses";
  return {
    url,
    listensTo: listensTo ?? "unknown",
    addresses: isOffered ? cards.map(({ card, address }) => ({ card, url: at(url, address) })) : [],
  };
}

function at(url: string, address: string): string {
  const moved = new URL(url);
  moved.hostname = address.includes(":") ? `[${address}]` : address;
  return moved.href.replace(/(?<!\/)\/+$/, "");
}

/** What that guide is called. */
export const ADDRESS_GUIDE = t("Let other hosts reach this server");

/** How to let other hosts reach a server, step by step, with the values of this one. */
export function addressGuide({ url, listensTo }: NearOnly, cards: readonly CardAddress[]): string {
  const port = new URL(url).port || "80";
  const example = cards[0] === undefined ? `http://SERVER:${port}` : at(url, cards[0].address);
  const now =
    listensTo === "all-addresses"
      ? t(
          "It listens on all addresses of its machine, so that one of the others can be chosen in the sheet.",
        )
      : t("It listens there only.");
  return [
    `# ${ADDRESS_GUIDE}`,
    "",
    t("Hosts are told to go to {0}, which only the server's own machine can reach. {1}", url, now),
    "",
    t(
      'Where the editor has started it on this computer, run "RPort: Choose Address of Local Backend..." and choose an\naddress: the editor does the rest, and only steps 3 and 4 are left. In all other cases:',
    ),
    "",
    ...steps(port, example),
    "",
    t("Agents are encrypted and authenticated either way, and pin the server's fingerprint."),
    t("docs/configuration.md of the server has every setting."),
    "",
  ].join("\n");
}

function steps(port: string, example: string): readonly string[] {
  return [
    `1. ${t('Stop the server: Ctrl-C where "npm start" or "npx rport-backend" runs.')}`,
    `2. ${t("Give it an address that hosts can reach. On the command line:")}`,
    "",
    `       npm start -- --address 0.0.0.0:${port}`,
    `       npx rport-backend --address 0.0.0.0:${port}`,
    "",
    `   ${t('(the second where npm has installed it). Or in a file, named with "--config rport-backend.toml":')}`,
    "",
    "       [server]",
    `       address = "0.0.0.0:${port}"`,
    `       url = ["${example}"]`,
    "",
    "       [api]",
    '       address = "127.0.0.1:8081"',
    "",
    `   ${t('"address" is where it listens: 0.0.0.0 stands for all addresses of the machine. "url" is what hosts\n   are told, best first; without it they are told the address under which the editor came. "[api]" keeps\n   the side of people on this computer; leave it out if others are to sign in from elsewhere, and put a\n   proxy with TLS in front then.')}`,
    `3. ${t("Let the port through the firewall of the machine, if it has one.")}`,
    `4. ${t('Press "Renew" in the install sheet.')}`,
  ];
}
