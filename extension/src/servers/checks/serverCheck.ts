import { RportError } from "@rport/protocol/errors";
import { isSamePin } from "@rport/protocol/tls/peerPin";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import { VERSION } from "@rport/protocol/version";
import { t } from "@vscode/l10n";
import type { Answer } from "../../api/http.ts";
import { apart, until } from "../../model/relativeTime.ts";
import { describeError, describeNetworkError } from "../../support/describeError.ts";
import { inertLine } from "../../support/text.ts";
import { isLoopback } from "../config.ts";
import { AGREED_MS } from "../serverTime.ts";
import type { CheckLine } from "./checkLine.ts";
import type { HostAndPort, NetworkProbes } from "./networkProbes.ts";

/** A certificate with less left is pointed out. */
const EXPIRY_MS = 14 * 86_400_000;
/** The first question also opens the connection, so the round trip is that of the quickest. */
const QUESTIONS = 3;

/** The server whose connection is checked. */
export interface CheckedServer {
  readonly isLocal: boolean;
  /** Its address; empty for a local backend that was not found. */
  readonly address: string;
  /** The fingerprint that its key has to have; empty while none is known. */
  readonly fingerprint: string;
  readonly tlsPin: TlsPin | undefined;
  /** Who may vouch for it, each as PEM; undefined: whom the editor trusts. */
  readonly ca?: readonly string[] | undefined;
  /** The proxy between the editor and it, as `host:port`. */
  readonly proxy: string | undefined;
}

/** What a check works with. */
export interface CheckDeps {
  readonly network: NetworkProbes;
  /** Asks the server for its status. */
  readonly ask: () => Promise<Answer>;
  /** Since the epoch. */
  readonly nowMs: () => number;
}

/**
 * Walks from the editor to a server, and says a sentence about each step: name, address, TLS, answer,
 * version, key, clock. It ends at the first step that fails, as all later ones would. Never rejects.
 */
export async function checkServer(
  server: CheckedServer,
  deps: CheckDeps,
): Promise<readonly CheckLine[]> {
  const lines: CheckLine[] = [];
  for await (const line of steps(server, deps)) {
    lines.push({ ...line, text: inertLine(line.text) });
    if (line.verdict === "failed") break;
  }
  return lines;
}

async function* steps(server: CheckedServer, deps: CheckDeps): AsyncGenerator<CheckLine> {
  const { proxy, isLocal, address } = server;
  if (proxy !== undefined) {
    const text = t(
      "Requests go through {0}, which looks up the name and opens the connection.",
      proxy,
    );
    yield { name: t("Proxy"), verdict: "ok", text };
  } else if (!isLocal) {
    yield* way(new URL(address), server, deps);
  }
  yield* answer(server, deps);
}

/** What lies before the server itself, where nobody else does it. */
async function* way(url: URL, server: CheckedServer, deps: CheckDeps): AsyncGenerator<CheckLine> {
  const isTls = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const place = { host, port: Number(url.port || (isTls ? 443 : 80)) };
  yield { name: t("Proxy"), verdict: "ok", text: t("None is used.") };
  yield await nameLine(place, deps.network);
  yield await addressLine(place, deps.network);
  yield isTls ? await tlsLine(place, server, deps) : plainLine(url);
}

async function nameLine({ host }: HostAndPort, network: NetworkProbes): Promise<CheckLine> {
  const name = t("Name");
  try {
    const addresses = await network.resolve(host);
    return { name, verdict: "ok", text: t("{0} is {1}.", host, addresses.join(", ")) };
  } catch (error) {
    return { name, verdict: "failed", text: `${host}: ${describeNetworkError(error)}.` };
  }
}

async function addressLine(place: HostAndPort, network: NetworkProbes): Promise<CheckLine> {
  const name = t("Address");
  try {
    await network.reach(place);
    return { name, verdict: "ok", text: t("Port {0} takes connections.", place.port) };
  } catch (error) {
    return {
      name,
      verdict: "failed",
      text: t("Port {0}: {1}.", place.port, describeNetworkError(error)),
    };
  }
}

function plainLine({ href }: URL): CheckLine {
  const isNear = isLoopback(href);
  const text = isNear
    ? t("None, and none is needed on this computer.")
    : t("None: whoever is between sees what is sent, sign-ins included.");
  return { name: "TLS", verdict: isNear ? "ok" : "note", text };
}

async function tlsLine(
  place: HostAndPort,
  { tlsPin, ca }: CheckedServer,
  { network, nowMs }: CheckDeps,
): Promise<CheckLine> {
  const name = "TLS";
  try {
    const { protocol, pin, expiresAtMs, distrust } = await network.showTls(place, ca);
    if (tlsPin !== undefined) {
      return isSamePin(pin, tlsPin)
        ? {
            name,
            verdict: "ok",
            text: t("{0}, with the key that was accepted ({1}).", protocol, pin),
          }
        : {
            name,
            verdict: "failed",
            text: t("It shows another TLS key ({0}) than the accepted one ({1}).", pin, tlsPin),
          };
    }
    if (distrust !== undefined) {
      const why = describeNetworkError(Object.assign(new Error(distrust), { code: distrust }));
      return {
        name,
        verdict: "note",
        text: t(
          "{0}, but Node does not trust it: {1}. The editor may know more authorities.",
          protocol,
          why,
        ),
      };
    }
    const at = new Date(expiresAtMs).toISOString();
    const isSoon = expiresAtMs - nowMs() < EXPIRY_MS;
    const text = t("{0}, with a trusted certificate that ends {1}.", protocol, until(at, nowMs()));
    return { name, verdict: isSoon ? "note" : "ok", text };
  } catch (error) {
    return { name, verdict: "failed", text: `${describeNetworkError(error)}.` };
  }
}

/** What the server itself says. */
async function* answer(server: CheckedServer, deps: CheckDeps): AsyncGenerator<CheckLine> {
  const answers: Answer[] = [];
  try {
    for (let n = 0; n < QUESTIONS; n += 1) answers.push(await deps.ask());
  } catch (caught) {
    yield { name: t("Answer"), verdict: "failed", text: refusalText(RportError.from(caught)) };
    return;
  }
  const [first] = answers;
  if (first === undefined) return;
  const quickest = Math.min(...answers.map(({ tookMs }) => tookMs));
  yield {
    name: t("Answer"),
    verdict: "ok",
    text: t("It answers in {0} ms, and accepts this sign-in.", Math.max(1, Math.round(quickest))),
  };
  yield versionLine(first);
  yield keyLine(first, server);
  if (first.atMs !== undefined) yield clockLine(first.atMs, deps.nowMs());
}

function refusalText(error: RportError): string {
  if (error.code === "UNAUTHORIZED") {
    return t("It answers, but does not accept the sign-in: {0}", describeError(error));
  }
  return describeError(error);
}

function versionLine({ status: { version } }: Answer): CheckLine {
  const isSame = version === VERSION;
  const text = isSame
    ? t("The server has version {0}, as this extension.", version)
    : t("The server has version {0}, this extension {1}.", version, VERSION);
  return { name: t("Version"), verdict: isSame ? "ok" : "note", text };
}

function keyLine(
  { status: { fingerprint_sha256: shown } }: Answer,
  server: CheckedServer,
): CheckLine {
  const name = t("Server key");
  const { fingerprint } = server;
  if (fingerprint === "" || fingerprint === shown)
    return { name, verdict: "ok", text: `${shown}.` };
  return {
    name,
    verdict: "failed",
    text: t("It has the key {0}, and {1} was accepted.", shown, fingerprint),
  };
}

/** HTTP tells the time in whole seconds. */
function clockLine(serverMs: number, nowMs: number): CheckLine {
  const name = t("Clock");
  const aheadMs = serverMs - nowMs;
  if (Math.abs(aheadMs) < AGREED_MS) {
    return { name, verdict: "ok", text: t("The server's clock and this computer's agree.") };
  }
  const by = apart(aheadMs);
  const text =
    aheadMs > 0
      ? t(
          "The server's clock is {0} ahead of this computer's. How long ago things were is told by the server's; if that is the wrong one, it may refuse codes of authenticator apps.",
          by,
        )
      : t(
          "The server's clock is {0} behind this computer's. How long ago things were is told by the server's; if that is the wrong one, it may refuse codes of authenticator apps.",
          by,
        );
  return { name, verdict: "note", text };
}
