import { randomInt } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How the next deposit is answered instead; `hang`: not at all. */
export type Answer = { readonly status: number; readonly body: string } | "hang";

/** A stand-in for RPort's own pairing service, written from its contract. */
export interface RportPairing extends AsyncDisposable {
  readonly url: string;
  /** What was deposited, by code. */
  readonly deposits: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** Answers the next deposit so. */
  readonly plan: Answer[];
  /** Changes what scripts say from now on. */
  change: (script: string) => string;
}

const ALPHABET = "abcdefghijklmnpqrstuvwxyzABCDEFGHIJKLMNPQRSTUVWXYZ123456789";
const LIFE_MS = 300_000;
const FIELDS = ["connect_url", "fingerprint", "client_id", "password"];

/** Listens on a free port of 127.0.0.1. */
export async function startRportPairing(): Promise<RportPairing> {
  const deposits = new Map<string, Record<string, string>>();
  const plan: Answer[] = [];
  const server = createServer((request, response) => void answer(request, response));
  const service: RportPairing = {
    get url() {
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    deposits,
    plan,
    change: (script) => script,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const code = /^\/([0-9a-zA-Z ]{7})$/.exec(request.url ?? "")?.[1];
    const isWindows = request.headers["user-agent"]?.includes("PowerShell") === true;
    if (request.method === "GET" && code !== undefined) return hand(response, code, isWindows);
    if (request.method !== "POST" || request.url !== "/") return end(response, 405, "");
    const planned = plan.shift();
    if (planned === "hang") return;
    if (planned !== undefined) return end(response, planned.status, planned.body);
    if (!request.headers["content-type"]?.startsWith("application/json")) {
      return end(response, 406, "");
    }
    take(response, JSON.parse(await bodyOf(request)));
  }
  function take(response: ServerResponse, body: Record<string, string>): void {
    const wrong = FIELDS.filter((field) => !body[field]);
    if (body.fingerprint?.length !== 47) wrong.push("fingerprint");
    if (wrong.length > 0) {
      const lines = wrong.map((field) => `'${field}' does not meet the specification 'required'`);
      end(response, 400, `input validation failed: \n${lines.join("\n")}`);
      return;
    }
    const code = Array.from({ length: 7 }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
    deposits.set(code, body);
    const installers = { linux: `curl ${service.url}/${code} > x; echo evil`, windows: "evil" };
    const expires = new Date(Date.now() + LIFE_MS).toISOString().replace("Z", "123456Z");
    response.setHeader("Content-Type", "application/json");
    response.setHeader("Access-Control-Allow-Origin", "*");
    end(response, 200, JSON.stringify({ pairing_code: code, expires, installers }));
  }
  function hand(response: ServerResponse, code: string, isWindows: boolean): void {
    const deposit = deposits.get(code);
    const script = isWindows ? powershellOf : scriptOf;
    if (deposit === undefined) end(response, 404, `#No pairing found by pairing code ${code}`);
    else end(response, 200, service.change(script(deposit)));
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return service;
}

/** What such a script does in the end: it writes a configuration and starts RPort's client with it. */
function scriptOf(deposit: Readonly<Record<string, string>>): string {
  return `#!/bin/sh
set -e
FINGERPRINT="${deposit.fingerprint}"
CONNECT_URL="${deposit.connect_url}"
CLIENT_ID="${deposit.client_id}"
PASSWORD="${deposit.password}"
printf '[client]\\nserver = "%s"\\nfingerprint = "%s"\\nauth = "%s:%s"\\n' \\
  "$CONNECT_URL" "$FINGERPRINT" "$CLIENT_ID" "$PASSWORD" >"$RPORT_CONF"
`;
}

/** The same for Windows. */
function powershellOf(deposit: Readonly<Record<string, string>>): string {
  return `<#
        .SYNOPSIS
        Installs the rport clients and connects it to the server
#>
Param(
    [switch]$x
)
$fingerprint = "${deposit.fingerprint}"
$connect_url = "${deposit.connect_url}"
$client_id = "${deposit.client_id}"
$password = "${deposit.password}"
if ($Null -eq (get-process "rport" -ea SilentlyContinue)) { Write-Output "no rport yet" }
Get-Item /there/is/no/such/file
[IO.File]::WriteAllText($env:RPORT_CONF, "[client]\`nserver = \`"$connect_url\`"\`nfingerprint = \`"$fingerprint\`"\`nauth = \`"$( $client_id ):$( $password )\`"\`n")
exit 3
`;
}

function end(response: ServerResponse, status: number, body: string): void {
  response.statusCode = status;
  response.end(body);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += String(chunk);
  return text;
}
