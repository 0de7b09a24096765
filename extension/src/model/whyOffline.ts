import type { Client, Credential } from "@rport/protocol/model";
import type { Refusal } from "@rport/protocol/refusal";
import { t } from "@vscode/l10n";
import { plural } from "../support/plural.ts";
import { inertLine } from "../support/text.ts";
import { displayName, statusOf, statusWord } from "./arrange.ts";
import { endSentence } from "./connectionEnd.ts";
import { ago, apart, dateAndTime, until } from "./relativeTime.ts";
import { whyRefused } from "./rows/refusalRow.ts";

/** What is known around a client that is away. */
export interface AwayFacts {
  readonly client: Client;
  readonly server: {
    readonly name: string;
    /** Whether what is known of the client is what is true now. */
    readonly isConnected: boolean;
  };
  /** Undefined: it is not there any more, or one may not see it. */
  readonly credential: Credential | undefined;
  /** Only administrators see credentials and refusals. */
  readonly mayAdminister: boolean;
  readonly refusals: Iterable<Refusal>;
  /** Clients that seem to be the same machine under another client ID. */
  readonly alike: readonly Client[];
  /** By the server's clock. */
  readonly nowMs: number;
  /** How far that is ahead of this computer's; 0: the two agree. */
  readonly aheadMs: number;
}

/** One link of the chain between the editor and the host. */
interface Link {
  readonly name: string;
  /** Whether this alone keeps the host away. */
  readonly isBroken: boolean;
  readonly text: string;
  /** What else there is to say, a line each. */
  readonly more?: readonly string[];
}

const NOTHING_BROKEN = t(
  "Nothing on the server keeps it away: see on the host what its agent says.",
);

/** Refusals that a document shows; the newest ones say enough. */
const REFUSALS_SHOWN = 5;

/**
 * The document that walks the chain from the editor to a host that is away, a sentence for each link, and
 * says what to run on the host.
 */
export function whyOfflineText(facts: AwayFacts): string {
  const name = inertLine(displayName(facts.client));
  if (statusOf(facts.client) === "online") return `# ${t("{0} is online", name)}\n`;
  const links = chainOf(facts);
  const broken = links.find(({ isBroken }) => isBroken);
  return [
    `# ${t("Why is {0} offline?", name)}`,
    "",
    broken === undefined ? NOTHING_BROKEN : inertLine(broken.text),
    "",
    ...links.flatMap(linkLines),
    "",
    t("On the host:"),
    "",
    ...commandsFor(facts.client).map(([line, use]) => `    ${line.padEnd(36)} # ${use}`),
    "",
  ].join("\n");
}

function linkLines({ name, isBroken, text, more = [] }: Link): readonly string[] {
  const first = `${isBroken ? "x" : "-"} ${name}: ${inertLine(text)}`;
  return [first, ...more.map((line) => `    ${inertLine(line)}`)];
}

function chainOf(facts: AwayFacts): readonly Link[] {
  return [
    serverLink(facts),
    clockLink(facts),
    lastConnection(facts),
    revocation(facts),
    ...(facts.mayAdminister ? [credentialLink(facts)] : []),
    secretLink(facts),
    otherRecord(facts),
    duplicateLink(facts),
    refusalLink(facts),
  ].filter((link) => link !== undefined);
}

function serverLink({ server: { name, isConnected } }: AwayFacts): Link {
  const text = isConnected
    ? t("This editor is connected to {0}, so what follows is true now.", name)
    : t(
        "This editor has no connection to {0}: the host may be online, and what follows is older.",
        name,
      );
  return { name: t("Server"), isBroken: !isConnected, text };
}

/** Two clocks that differ keep nobody away, but times elsewhere are not to be compared with these. */
function clockLink({ server: { name }, aheadMs }: AwayFacts): Link | undefined {
  if (aheadMs === 0) return undefined;
  const by = apart(aheadMs);
  const text =
    aheadMs > 0
      ? t(
          "This computer's clock is {0} behind that of {1}. How long ago things were is told by the server's.",
          by,
          name,
        )
      : t(
          "This computer's clock is {0} ahead of that of {1}. How long ago things were is told by the server's.",
          by,
          name,
        );
  return { name: t("Clock"), isBroken: false, text };
}

function lastConnection({ client, nowMs }: AwayFacts): Link {
  const { disconnected_at: at, connection_end: end } = client;
  const text =
    at === null
      ? t("It has never been connected.")
      : t("Ended {0}, {1}.", ago(at, nowMs), dateAndTime(Date.parse(at)));
  const more = end === null ? [] : [endSentence(end)];
  return { name: t("Last connection"), isBroken: false, text, more };
}

function revocation({ client, nowMs }: AwayFacts): Link | undefined {
  const { revoked_at: at } = client;
  if (at === null) return undefined;
  const text = t(
    "It was revoked {0}. No secret lets it in until Allow Client Again is chosen.",
    ago(at, nowMs),
  );
  return { name: t("Revoked"), isBroken: true, text };
}

function credentialLink({ client, credential, nowMs }: AwayFacts): Link {
  const name = t("Credential");
  if (credential === undefined) {
    const text = t(
      "{0} was deleted. Install the client again with another credential.",
      client.client_auth_id,
    );
    return { name, isBroken: true, text };
  }
  const { id, state, limits } = credential;
  if (state === "revoked") return { name, isBroken: true, text: t("{0} is revoked.", id) };
  const { expires_at: expires } = limits;
  if (expires !== null && Date.parse(expires) <= nowMs) {
    return {
      name,
      isBroken: true,
      text: t("{0} expired {1}. Edit Credential changes that.", id, ago(expires, nowMs)),
    };
  }
  const left = expires === null ? "" : until(expires, nowMs);
  return { name, isBroken: false, text: activeSentence(id, left, limits.cidrs.join(", ")) };
}

function activeSentence(id: string, left: string, from: string): string {
  if (left === "") {
    return from === "" ? t("{0} is active.", id) : t("{0} is active, only from {1}.", id, from);
  }
  return from === ""
    ? t("{0} is active, expires {1}.", id, left)
    : t("{0} is active, expires {1}, only from {2}.", id, left, from);
}

function secretLink({ client: { secret } }: AwayFacts): Link {
  const name = t("Secret");
  if (secret === null || secret.state === "revoked") {
    const text = t(
      "The secret that it came with last is revoked. Unless it has another one, choose Install Again.",
    );
    return { name, isBroken: true, text };
  }
  const text =
    secret.state === "grace"
      ? t("The secret that it came with last still works, and is being replaced by a new one.")
      : t("The secret that it came with last works.");
  return { name, isBroken: false, text };
}

function otherRecord({ alike }: AwayFacts): Link | undefined {
  const [other] = alike;
  if (other === undefined) return undefined;
  const state = statusOf(other);
  const text = t(
    "The same machine seems to be {0} as {1} (client ID {2}).",
    statusWord(state),
    displayName(other),
    other.id,
  );
  return { name: t("Another record"), isBroken: state === "online", text };
}

function duplicateLink({ client: { duplicate }, nowMs }: AwayFacts): Link | undefined {
  if (duplicate === null) return undefined;
  const { hostname, address, last_at: at } = duplicate;
  const when = ago(at, nowMs);
  const text =
    hostname === ""
      ? t("Another host at {0} claimed this client ID, too, {1}.", address, when)
      : t("{0} at {1} claimed this client ID, too, {2}.", hostname, address, when);
  return { name: t("Duplicate"), isBroken: false, text };
}

function refusalLink(facts: AwayFacts): Link {
  const name = t("Refused joins");
  if (!facts.mayAdminister) {
    return { name, isBroken: false, text: t("Only administrators see who was turned away.") };
  }
  const own = refusalsOf(facts);
  const [last] = own;
  if (last === undefined) {
    return {
      name,
      isBroken: false,
      text: t("Nobody was turned away as this client: it does not even try."),
    };
  }
  const times = own.reduce((sum, refusal) => sum + refusal.count, 0);
  const texts = own.slice(0, REFUSALS_SHOWN).map(whyRefused);
  const text = turnedAway(last, times, ago(last.last_at, facts.nowMs));
  return { name, isBroken: last.client_id !== null, text, more: [...new Set(texts)] };
}

function turnedAway({ client_id: id, address }: Refusal, times: number, when: string): string {
  return id === null
    ? plural(
        times,
        t(
          "Somebody at its address was turned away {0} time, last {1} from {2}.",
          times,
          when,
          address,
        ),
        t(
          "Somebody at its address was turned away {0} times, last {1} from {2}.",
          times,
          when,
          address,
        ),
      )
    : plural(
        times,
        t("It was turned away {0} time, last {1} from {2}.", times, when, address),
        t("It was turned away {0} times, last {1} from {2}.", times, when, address),
      );
}

/** Who was turned away since it went, the last one first: it itself before others at its address. */
function refusalsOf({ client, refusals }: AwayFacts): readonly Refusal[] {
  const sinceMs = client.disconnected_at === null ? 0 : Date.parse(client.disconnected_at);
  const recent = [...refusals]
    .filter(({ last_at }) => Date.parse(last_at) >= sinceMs)
    .sort((a, b) => Date.parse(b.last_at) - Date.parse(a.last_at));
  const own = recent.filter(({ client_id: id }) => id === client.id);
  if (own.length > 0) return own;
  return recent.filter(({ client_id: id, address }) => id === null && address === client.address);
}

/** Lines for the host's shell, and what each is for. */
function commandsFor({ os, os_kernel, features }: Client): readonly (readonly [string, string])[] {
  const isOurs = features.length > 0;
  const system = `${os} ${os_kernel}`;
  if (/windows/i.test(system)) return [["sc query rport", t("whether the service runs")]];
  const running = isOurs
    ? (["rport-agent status", t("whether it runs, and what the server said last")] as const)
    : (["pgrep -a rport", t("whether RPort's client runs")] as const);
  if (/darwin|macos/i.test(system)) return [running, ["date -u", t("whether its clock is right")]];
  return [
    running,
    ["journalctl -u rport -n 50", t("its log, where systemd runs it")],
    ["date -u", t("whether its clock is right, which TLS needs")],
  ];
}
