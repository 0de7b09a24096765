"use strict";
// Lets a test run a function in the extension host, next to the extension under test. It listens on
// a unix socket in the folder RPORT_PROBE_DIR; one request per connection, ended by half-close:
//   {"source": "<text of a function>", "args": [...]}  ->  {"value": ...} or {"error": "<stack>"}
// The function is called with the vscode module and the arguments; `probeSecrets` is the store of secrets that
// the probe was given, whose class is that of all extensions.
const net = require("node:net");
const path = require("node:path");
const vm = require("node:vm");
const vscode = require("vscode");

async function answer(text) {
  try {
    const { source, args } = JSON.parse(text);
    return { value: await vm.runInThisContext(`(${source})`)(vscode, ...args) };
  } catch (error) {
    return { error: error instanceof Error ? String(error.stack) : String(error) };
  }
}

function serve(socket) {
  let text = "";
  socket.on("error", () => socket.destroy());
  socket.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
  });
  socket.on("end", async () => {
    const result = await answer(text);
    socket.end(JSON.stringify(result));
  });
}

exports.activate = (context) => {
  const folder = process.env.RPORT_PROBE_DIR;
  if (!folder) return;
  globalThis.probeSecrets = context.secrets;
  // named after the process: after a reload, two hosts are alive for a moment
  const server = net.createServer({ allowHalfOpen: true }, serve);
  server.listen(path.join(folder, `${process.pid}.sock`));
  context.subscriptions.push({ dispose: () => server.close() });
};
