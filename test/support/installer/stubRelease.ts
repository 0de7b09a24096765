import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { tempDirectory } from "../tempDirectory.ts";

const TEMPLATE = new URL("../../../installers/rport-installer.sh", import.meta.url);
const BLOCK = /(# BEGIN MANIFEST\n)[\s\S]*?(# END MANIFEST\n)/;

/** The version of every stub release. */
export const STUB_VERSION = "9.8.7";

/** Names a file of a release: what the installer calls the target, and what to serve for it. */
export interface StubFile {
  readonly target: "linux-x64" | "node";
  readonly name: string;
  readonly content: string;
}

/** What a stub agent was called with. */
export interface StubCall {
  readonly args: readonly string[];
  readonly stdin: string;
  readonly environment: string;
}

/**
 * A release of the installer whose agent only notes how it was called: for tests of the script's
 * own work. The server counts requests, and serves what a test puts into `served`.
 */
export class StubRelease implements AsyncDisposable {
  /** The directory of the release; readable for everybody. */
  readonly directory: string;
  /** The installer, with the manifest in it. */
  readonly script: string;
  readonly url: string;
  /** The paths that were asked for, in order. */
  readonly requests: string[];
  /** By file name: what is served instead of the right content; undefined for status 404. */
  readonly served: Map<string, Buffer | undefined>;
  /** How many of the next requests are answered with status 503. */
  readonly trouble: { left: number };
  readonly #close: () => Promise<void>;

  /** Use `stubRelease`. */
  constructor(parts: {
    directory: string;
    script: string;
    url: string;
    requests: string[];
    served: Map<string, Buffer | undefined>;
    trouble: { left: number };
    close: () => Promise<void>;
  }) {
    this.directory = parts.directory;
    this.script = parts.script;
    this.url = parts.url;
    this.requests = parts.requests;
    this.served = parts.served;
    this.trouble = parts.trouble;
    this.#close = parts.close;
  }

  /** How the agent was called last, apart from questions for its version; undefined if never. */
  async call(): Promise<StubCall | undefined> {
    const read = (name: string) => readFile(join(this.directory, "called", name), "utf8");
    const args = await read("args").catch(() => undefined);
    if (args === undefined) return undefined;
    return {
      args: args.split("\0").slice(0, -1),
      stdin: await read("stdin"),
      environment: await read("environment"),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

/** A shell script in the place of the executable; `before` runs first, `status` is how it ends. */
export function stubAgent(directory: string, { before = "", status = 0 } = {}): string {
  return `#!/bin/sh
${before}
if [ "$1" = --version ]; then echo "rport-agent ${STUB_VERSION}"; exit; fi
printf '%s\\0' "$@" >'${directory}/called/args'
env >'${directory}/called/environment'
cat >'${directory}/called/stdin'
exit ${status}
`;
}

/** The same for Node. */
export function stubBundle(directory: string): string {
  return `
const { readFileSync, writeFileSync } = require("node:fs");
const args = process.argv.slice(2);
if (args[0] === "--version") return console.log("rport-agent ${STUB_VERSION}");
const note = (name, text) => writeFileSync("${directory}/called/" + name, text);
note("args", args.map((arg) => arg + "\\0").join(""));
note("environment", "run by node");
note("stdin", readFileSync(0));
`;
}

/** Makes a release of stub files and serves it. Without `files` it has one executable. */
export async function stubRelease(
  files: (directory: string) => readonly StubFile[] = executableOnly,
): Promise<StubRelease> {
  const temporary = await tempDirectory();
  const directory = temporary.path;
  await chmod(directory, 0o755);
  await mkdir(join(directory, "called"));
  await chmod(join(directory, "called"), 0o777);
  const list = files(directory);
  const script = join(directory, "rport-installer.sh");
  await writeFile(script, stamp(await readFile(TEMPLATE, "utf8"), list));
  const served = new Map<string, Buffer | undefined>();
  for (const { name, content } of list) served.set(name, Buffer.from(content));
  const requests: string[] = [];
  const trouble = { left: 0 };
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    requests.push(path);
    const content = served.get(path.slice(`/agent/${STUB_VERSION}/`.length));
    response.statusCode = content === undefined ? 404 : 200;
    if (trouble.left > 0) response.statusCode = 503;
    trouble.left -= 1;
    response.end(content);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await server[Symbol.asyncDispose]();
    await temporary[Symbol.asyncDispose]();
  };
  return new StubRelease({ directory, script, url, requests, served, trouble, close });
}

/** One executable that notes how it was called. */
export function executableOnly(directory: string): readonly StubFile[] {
  return [{ target: "linux-x64", name: "rport-agent-linux-x64", content: stubAgent(directory) }];
}

/** Fills the manifest as a build does. */
export function stamp(template: string, files: readonly StubFile[]): string {
  const lines = files.map(({ target, name, content }) => {
    const hash = createHash("sha256").update(content).digest("hex");
    return `${target} ${Buffer.byteLength(content)} ${hash} ${name}`;
  });
  const block = `VERSION='${STUB_VERSION}'\nMANIFEST='${lines.join("\n")}'\n`;
  return template.replace(BLOCK, (_, begin: string, end: string) => begin + block + end);
}
