import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "../eventually.ts";
import { tempDirectory } from "../tempDirectory.ts";

const CERTIFICATE = fileURLToPath(
  new URL("../../fixtures/self-signed-localhost.pem", import.meta.url),
);

/** What a reverse proxy is told. */
export interface ProxySite {
  /** Where it listens, on 127.0.0.1. */
  readonly port: number;
  /** The backend's. */
  readonly backend: number;
  /** Begins and ends with a slash; taken away from what the backend is asked. */
  readonly path: string;
  /** Whether it speaks TLS, as `localhost`. */
  readonly isTls: boolean;
}

/** Programs that people put in front, by the Debian package's program, and what they run it with. */
export const WEB_PROXIES = {
  nginx: { config: nginxConfig, args: (file: string) => ["-c", file, "-g", "daemon off;"] },
  caddy: {
    config: caddyConfig,
    args: (file: string) => ["run", "--adapter", "caddyfile", "--config", file],
  },
} as const;

/** The name of one. */
export type WebProxy = keyof typeof WEB_PROXIES;

/** Starts one and waits until it listens. It ends with its scope. */
export async function startWebProxy(name: WebProxy, site: ProxySite): Promise<AsyncDisposable> {
  await using opened = new AsyncDisposableStack();
  const { path } = opened.use(await tempDirectory());
  const file = join(path, "proxy.conf");
  const { config, args } = WEB_PROXIES[name];
  await mkdir(join(path, "tmp"));
  await writeFile(file, config(site, path));
  const env = { PATH: `${process.env.PATH}:/usr/sbin`, HOME: path, XDG_DATA_HOME: path };
  const child = spawn(name, args(file), { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = once(child, "close");
  opened.defer(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`${name} ended: ${said}`);
    await isListening(site.port);
  });
  const closing = opened.move();
  return { [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

async function isListening(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
  } finally {
    socket.destroy();
  }
}

function nginxConfig({ port, backend, path, isTls }: ProxySite, directory: string): string {
  const tls = isTls ? `ssl_certificate ${CERTIFICATE}; ssl_certificate_key ${CERTIFICATE};` : "";
  const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const folders = kinds.map((kind) => `${kind}_temp_path ${directory}/tmp/${kind};`).join("\n");
  return `
worker_processes 1;
pid ${directory}/pid;
error_log stderr;
events {}
http {
  access_log off;
  ${folders}
  map $http_upgrade $connection_upgrade { default upgrade; "" close; }
  server {
    listen 127.0.0.1:${port}${isTls ? " ssl" : ""};
    ${tls}
    location ${path} {
      proxy_pass http://127.0.0.1:${backend}/;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
`;
}

function caddyConfig({ port, backend, path, isTls }: ProxySite): string {
  const site = isTls ? `https://localhost:${port}` : `http://:${port}`;
  const tls = isTls ? `tls ${CERTIFICATE} ${CERTIFICATE}` : "";
  return `
{
  admin off
  auto_https off
}
${site} {
  bind 127.0.0.1
  ${tls}
  handle_path ${path}* {
    reverse_proxy 127.0.0.1:${backend}
  }
}
`;
}
