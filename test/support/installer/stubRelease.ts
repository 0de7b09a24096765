import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { tempDirectory } from "../tempDirectory.ts";

/** Scripts have no types: they run before anything is installed. */
const { shellInstaller } = await import(
  new URL("../../../scripts/lib/agent/shellInstaller.mjs", import.meta.url).href
);

/** The version of every stub release. */
export const STUB_VERSION = "9.8.7";

/** Names a file of a release: what the installer calls the target, and what to serve for it. */
export interface StubFile {
  readonly target: string;
  readonly name: string;
  readonly content: string;
  /** How it can be fetched, too, in this order; not at all unless given. */
  readonly packed?: readonly Packing[];
}

/** A suffix of packed files. */
export type Packing = "xz" | "zst" | "gz";

/** What the server of a stub release does wrong. */
export interface Trouble {
  /** How many of the next requests are answered with status 503. */
  left: number;
  /** The connection is cut after so many bytes of a body. */
  cutAfter: number;
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
  readonly trouble: Trouble;
  readonly #close: () => Promise<void>;

  /** Use `stubRelease`. */
  constructor(parts: {
    directory: string;
    script: string;
    url: string;
    requests: string[];
    served: Map<string, Buffer | undefined>;
    trouble: Trouble;
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

/**
 * Puts a program into the prefix of a stub release, in the place of an agent that is installed: asked about a
 * file, it notes its arguments, and ends with this status, or with `allowed` when an older one is allowed.
 */
export async function installedStub(
  release: StubRelease,
  status: number,
  allowed = 0,
): Promise<void> {
  const folder = join(release.directory, "prefix", "bin");
  await mkdir(folder, { recursive: true });
  const text = installedText(release.directory, status, allowed);
  await writeFile(join(folder, "rport-agent"), text, { mode: 0o755 });
}

/** How an installed stub was asked about a file; undefined if never. */
export async function askedInstalled(release: StubRelease): Promise<readonly string[] | undefined> {
  const text = await readFile(join(release.directory, "called", "asked"), "utf8").catch(() => "");
  return text === "" ? undefined : text.split("\0").slice(0, -1);
}

const installedText = (directory: string, status: number, allowed: number) => `#!/bin/sh
[ "$1" = verify ] || exit 1
printf '%s\\0' "$@" >'${directory}/called/asked'
for each; do [ "$each" != --allow-downgrade ] || exit ${allowed}; done
echo "It hands out an older release." >&2
exit ${status}
`;

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
  const served = new Map<string, Buffer | undefined>();
  for (const file of list) {
    for (const [name, bytes] of filesOf(file)) served.set(name, bytes);
  }
  await writeFile(script, stamped(list, served));
  const requests: string[] = [];
  const trouble = { left: 0, cutAfter: Number.POSITIVE_INFINITY };
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    requests.push(path);
    const content = served.get(path.slice(`/agent/${STUB_VERSION}/`.length));
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (content === undefined) response.statusCode = 404;
    if (trouble.left > 0) response.statusCode = 503;
    trouble.left -= 1;
    if (content !== undefined && from > 0 && from >= content.length) response.statusCode = 416;
    if (response.statusCode === 200) send(response, { content, from, trouble });
    else response.end();
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

/** Sends a body from a byte on, as a server does that resumes; and cuts it off, if there is trouble. */
function send(
  response: ServerResponse,
  { content, from, trouble }: { content: Buffer | undefined; from: number; trouble: Trouble },
): void {
  const whole = content ?? Buffer.of();
  const rest = whole.subarray(from);
  response.setHeader("Content-Length", rest.length);
  if (from > 0) {
    response.statusCode = 206;
    response.setHeader("Content-Range", `bytes ${from}-${whole.length - 1}/${whole.length}`);
  }
  if (rest.length <= trouble.cutAfter) response.end(rest);
  else response.write(rest.subarray(0, trouble.cutAfter), () => response.destroy());
}

/** A file and its packed copies, by name. */
function filesOf({ name, content, packed = [] }: StubFile): readonly [string, Buffer][] {
  const bytes = Buffer.from(content);
  return [
    [name, bytes],
    ...packed.map((way): [string, Buffer] => [`${name}.${way}`, pack[way](bytes)]),
  ];
}

const pack = {
  gz: (bytes: Buffer) => gzipSync(bytes),
  zst: (bytes: Buffer) => zstdCompressSync(bytes),
  xz: (bytes: Buffer) => execFileSync("xz", ["-c"], { input: bytes }),
};

/** The installer as a build makes it. */
function stamped(files: readonly StubFile[], served: ReadonlyMap<string, Buffer | undefined>) {
  const described = files.map(({ target, name, packed = [] }) => {
    const bytes = served.get(name) ?? Buffer.of();
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const copies = packed.map((way) => {
      const copy = `${name}.${way}`;
      return { name: copy, size: served.get(copy)?.length };
    });
    return { target, name, size: bytes.length, sha256, packed: copies };
  });
  return shellInstaller(STUB_VERSION, described);
}
