import { formatHostPort, type HostPort, parseHostPort } from "@rport/protocol/remote";
import type { ListeningPort } from "@rport/protocol/tunnels/listening";
import { t } from "@vscode/l10n";
import { plainText } from "../../support/text.ts";
import { joinDots } from "../rows/row.ts";
import { SERVICES, serviceOf } from "../services.ts";

/** A place that a tunnel may lead to, as it is offered. */
export interface OfferedTarget {
  readonly remote: HostPort;
  /** What is known of it. */
  readonly description: string;
}

/** Places of one kind, under a heading; the one that was typed has none. */
export interface TargetSection {
  readonly heading: string;
  readonly targets: readonly OfferedTarget[];
}

/** What is known of a host when a tunnel to it is opened. */
export interface KnownTargets {
  /** Where tunnels led before, the latest first. */
  readonly recent: readonly HostPort[];
  /** What listens there; undefined: it is not told, or not yet. */
  readonly listening: readonly ListeningPort[] | undefined;
}

/** More than these of before are not worth the room. */
const RECENT_SHOWN = 5;
const HOST_ITSELF = "127.0.0.1";
const ANY = new Set(["0.0.0.0", "::"]);

/**
 * What is offered for the text typed so far, each place once: the typed one, those of before, what
 * listens on the host, what commonly does. What does not fit the text is left out, and a section
 * without anything.
 */
export function targetSections(known: KnownTargets, typed: string): readonly TargetSection[] {
  const text = typed.trim();
  const told = (known.listening ?? []).map(listeningTarget);
  const describe = (remote: HostPort) =>
    told.find((each) => isSame(each.remote, remote))?.description ?? serviceName(remote);
  const of = (remotes: readonly HostPort[]) =>
    remotes.map((remote) => ({ remote, description: describe(remote) }));
  const common = SERVICES.map(({ port }) => ({ host: HOST_ITSELF, port }));
  const remote = parseHostPort(text);
  const fits = (target: OfferedTarget) => isFound(target, text);
  return withoutDoubles([
    { heading: "", targets: remote === undefined ? [] : of([remote]) },
    { heading: t("used before"), targets: of(known.recent.slice(0, RECENT_SHOWN)).filter(fits) },
    { heading: t("listening there"), targets: told.filter(fits) },
    { heading: t("common services"), targets: of(common).filter(fits) },
  ]);
}

/** How a place is called: a port alone is one of the host itself. */
export function targetLabel(remote: HostPort): string {
  return remote.host === HOST_ITSELF ? String(remote.port) : formatHostPort(remote);
}

function listeningTarget({ address, port, process }: ListeningPort): OfferedTarget {
  const remote = { host: ANY.has(address) ? HOST_ITSELF : address, port };
  const name = serviceName(remote);
  const program = plainText(process);
  const isNamed = name.toLowerCase() === program.toLowerCase();
  return { remote, description: joinDots(name, isNamed ? "" : program, reachOf(address)) };
}

/** Who else could connect there, in words. */
function reachOf(address: string): string {
  if (ANY.has(address)) return "";
  if (address === "::1" || address.startsWith("127.")) return t("loopback only");
  return t("only on {0}", address);
}

function serviceName({ port }: HostPort): string {
  return serviceOf(port)?.name ?? "";
}

function isFound({ remote, description }: OfferedTarget, text: string): boolean {
  return `${targetLabel(remote)} ${description}`.toLowerCase().includes(text.toLowerCase());
}

function isSame(one: HostPort, other: HostPort): boolean {
  return one.host === other.host && one.port === other.port;
}

function withoutDoubles(sections: readonly TargetSection[]): readonly TargetSection[] {
  const seen = new Set<string>();
  const isNew = ({ remote }: OfferedTarget) => {
    const key = formatHostPort(remote);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  };
  return sections
    .map(({ heading, targets }) => ({ heading, targets: targets.filter(isNew) }))
    .filter(({ targets }) => targets.length > 0);
}
