import { type Service, serviceOf } from "../services.ts";

/** What may be found at the end of a tunnel. */
export const KINDS = ["http", "https", "tls", "ssh", "postgres", "mysql", "vnc", "other"] as const;

/** What was found at the end of a tunnel; `other`: something that answers, and is none of the rest. */
export type ServiceKind = (typeof KINDS)[number];

/** What it is asked when it says nothing by itself. */
export type Question = "postgres" | "http" | "https" | "nothing";

/** PostgreSQL's SSLRequest: 8 bytes, and a number that is no version (PostgreSQL documentation, 54.7). */
export const POSTGRES_QUESTION = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

const NAMES: Readonly<Record<ServiceKind, string>> = {
  http: "HTTP",
  https: "HTTPS",
  tls: "TLS",
  ssh: "SSH",
  postgres: "PostgreSQL",
  mysql: "MySQL",
  vnc: "VNC",
  other: "",
};

const POSTGRES_PORTS = new Set([5_432, 5_433, 6_432]);
/** Below 1024, and web servers nevertheless. */
const LOW_WEB_PORTS = new Set([80, 81, 443, 591, 631]);
/**
 * Here a question would be no question: printers print it, controllers of machines may act on it, and
 * databases, brokers and screens write it into their logs as an attack.
 */
const UNASKED: readonly (readonly [number, number])[] = [
  [1_089, 1_091],
  [1_433, 1_434],
  [1_521, 1_521],
  [1_883, 1_883],
  [1_911, 1_911],
  [1_962, 1_962],
  [2_404, 2_404],
  [3_306, 3_306],
  [3_389, 3_389],
  [4_840, 4_840],
  [4_911, 4_911],
  [5_006, 5_007],
  [5_094, 5_094],
  [5_672, 5_672],
  [5_900, 5_910],
  [6_379, 6_379],
  [9_092, 9_092],
  [9_100, 9_107],
  [9_600, 9_600],
  [11_211, 11_211],
  [18_245, 18_246],
  [20_000, 20_000],
  [20_547, 20_547],
  [27_017, 27_019],
  [34_962, 34_964],
  [44_818, 44_818],
  [47_808, 47_808],
];

/** What a service on that port of its host may be asked without harm when it is silent. */
export function questionFor(port: number): Question {
  if (POSTGRES_PORTS.has(port)) return "postgres";
  const scheme = serviceOf(port)?.scheme;
  if (scheme !== undefined) return scheme;
  const isUnasked = UNASKED.some(([from, to]) => port >= from && port <= to);
  if (isUnasked || (port < 1_024 && !LOW_WEB_PORTS.has(port))) return "nothing";
  return "http";
}

/** What the first bytes say that a service sends; undefined when there are none. */
export function kindOf(bytes: Buffer): ServiceKind | undefined {
  if (bytes.length === 0) return undefined;
  const text = bytes.toString("latin1", 0, 8);
  if (text.startsWith("SSH-")) return "ssh";
  if (text.startsWith("RFB 0")) return "vnc";
  if (text.startsWith("HTTP/")) return "http";
  if (isTlsRecord(bytes)) return "tls";
  return isMysqlGreeting(bytes) ? "mysql" : "other";
}

/** Whether PostgreSQL has answered `POSTGRES_QUESTION`: one letter, S or N. */
export function isPostgresAnswer(bytes: Buffer): boolean {
  return bytes.length === 1 && ["S", "N"].includes(bytes.toString("latin1"));
}

/** Whether HTTP was spoken to a server that may want TLS: it says 400, as many do then. */
export function isBadRequest(bytes: Buffer): boolean {
  return /^HTTP\/\d\.\d 400 /.test(bytes.toString("latin1", 0, 16));
}

/** What a service is called: by what it usually is on its port, unless it was found to be another one. */
export function serviceName(port: number, kind: ServiceKind | undefined): string {
  const usual = serviceOf(port);
  if (kind === undefined || isUsual(usual, kind)) return usual?.name ?? "";
  return NAMES[kind];
}

/** How a browser speaks to it; undefined when it is no web service, or it is not known to be one. */
export function webScheme(
  port: number,
  kind: ServiceKind | undefined,
): "http" | "https" | undefined {
  if (kind === undefined) return serviceOf(port)?.scheme;
  return kind === "http" || kind === "https" ? kind : undefined;
}

function isUsual(usual: Service | undefined, kind: ServiceKind): boolean {
  if (usual === undefined) return false;
  return usual.scheme === kind || usual.name === NAMES[kind];
}

/** A record of TLS: a handshake or an alert, of version 3 (RFC 8446, 5.1). */
function isTlsRecord(bytes: Buffer): boolean {
  return bytes.length >= 3 && (bytes[0] === 0x15 || bytes[0] === 0x16) && bytes[1] === 0x03;
}

/** A packet with the number 0, and version 10 of the protocol (MySQL internals, HandshakeV10). */
function isMysqlGreeting(bytes: Buffer): boolean {
  return bytes.length > 5 && bytes[3] === 0 && bytes[4] === 0x0a;
}
