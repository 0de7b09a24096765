// npm start: from a fresh clone to a running backend. Needs Node >= 20 and npm, nothing else.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { ensureBuilt, vsixFile } from "./lib/build.mjs";
import { ensureInstalled, projectNode } from "./lib/install.mjs";
import { projectPath, root } from "./lib/paths.mjs";

const own = process.argv.slice(2);

async function prepare() {
  console.log("Installing what is missing (the first time takes about a minute)...");
  await ensureInstalled();
  const { warning } = projectNode();
  if (warning) console.log(warning);
  console.log("Building the extension and the agent...");
  await ensureBuilt();
}

async function call({ url, token }, { method, path, body }) {
  const answer = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()).data;
}

/** A line that pairs a host, under the oldest credential; none when all were deleted. */
async function pairingLine(endpoint) {
  const credentials = await call(endpoint, { method: "GET", path: "/clients-auth" });
  const credential = credentials.sort((a, b) => (a.created_at < b.created_at ? -1 : 1))[0];
  if (!credential) return undefined;
  return call(endpoint, {
    method: "POST",
    path: "/pairings",
    body: { credential_id: credential.id },
  });
}

async function introduce(endpoint) {
  const paired = await pairingLine(endpoint);
  console.log(`
The extension:  code --install-extension ${relative(process.cwd(), vsixFile)}
                then run "RPort: Use Local Backend" in VS Code.`);
  if (!paired) return;
  console.log(`
Pair a first host (works once, within 10 minutes, on a host that reaches ${endpoint.url}):

${paired.commands[0].text}
`);
}

// A flood of handshakes would leave V8's young space and the C library's arenas large for good.
const { flags, environment } = JSON.parse(
  readFileSync(join(root, "scripts", "lib", "backendProcess.json"), "utf8"),
);

await prepare();
const child = spawn(
  projectNode().node,
  [...flags, join(root, "backend", "src", "main.ts"), ...own],
  {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: { ...environment, ...process.env, PATH: projectPath },
  },
);
// Ctrl-C reaches the backend by itself; this process ends when the backend has
process.on("SIGINT", () => {});
process.on("SIGTERM", () => child.kill("SIGTERM"));
for (const signal of ["SIGHUP", "SIGQUIT"]) process.on(signal, () => child.kill(signal));
for (const signal of ["SIGUSR1", "SIGUSR2"]) process.on(signal, () => {});
child.on("exit", (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
// the backend says where its endpoint file is, once it listens
child.once("message", ({ endpointFile }) => {
  child.disconnect();
  introduce(JSON.parse(readFileSync(endpointFile, "utf8"))).catch((error) => {
    console.error(error.message);
  });
});
