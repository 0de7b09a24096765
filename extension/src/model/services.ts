import { t } from "@vscode/l10n";

/** A service that people open tunnels to. */
export interface Service {
  readonly port: number;
  readonly name: string;
  /** Set when a browser can show it. */
  readonly scheme?: "http" | "https";
}

/** Well-known ports, those most asked for first. */
export const SERVICES: readonly Service[] = [
  { port: 22, name: "SSH" },
  { port: 80, name: "HTTP", scheme: "http" },
  { port: 443, name: "HTTPS", scheme: "https" },
  { port: 3389, name: t("Remote Desktop") },
  { port: 5900, name: "VNC" },
  { port: 3000, name: t("Web application"), scheme: "http" },
  { port: 8080, name: "HTTP", scheme: "http" },
  { port: 8443, name: "HTTPS", scheme: "https" },
  { port: 5432, name: "PostgreSQL" },
  { port: 3306, name: "MySQL" },
  { port: 6379, name: "Redis" },
  { port: 27_017, name: "MongoDB" },
  { port: 9090, name: t("Cockpit or Prometheus"), scheme: "http" },
];

/** More ports that a browser can show, not worth offering. */
const MORE_HTTP_PORTS = new Set([
  81, 591, 3001, 4000, 4200, 5000, 5173, 5601, 8000, 8008, 8081, 8088, 8888, 9000, 9200,
]);

/** The service that usually listens on a port. */
export function serviceOf(port: number): Service | undefined {
  const known = SERVICES.find((service) => service.port === port);
  if (known !== undefined) return known;
  return MORE_HTTP_PORTS.has(port) ? { port, name: "HTTP", scheme: "http" } : undefined;
}
