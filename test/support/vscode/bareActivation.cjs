"use strict";
// Loads the extension's bundle (the first argument) in a process of its own and activates it, with an
// editor that answers everything and does nothing. Prints as JSON how long each took in milliseconds, what
// both cost of a processor, and what activation asked of the system: a call by its name for each.
const Module = require("node:module");
const path = require("node:path");
const { context, editor, serve } = require("./bareEditor.cjs");

/** What waits for the disk, the network, another process, or who knows the users of this machine. */
const SYSTEM = {
  fs: undefined,
  "fs/promises": undefined,
  child_process: undefined,
  net: ["connect", "createConnection", "createServer"],
  dns: ["lookup", "resolve"],
  os: ["homedir", "hostname", "networkInterfaces", "userInfo"],
};

serve(editor);

function watch(calls) {
  for (const [name, members] of Object.entries(SYSTEM)) {
    const system = require(`node:${name}`);
    for (const member of members ?? Object.keys(system)) {
      const { value: real, writable } = Object.getOwnPropertyDescriptor(system, member);
      if (typeof real !== "function" || !writable) continue;
      system[member] = function watched(...args) {
        calls.push(`${name}.${member}`);
        return Reflect.apply(real, this, args);
      };
    }
  }
  Module.syncBuiltinESMExports();
}

const calls = [];
const startCpu = process.threadCpuUsage();
const startMs = performance.now();
const extension = require(path.resolve(process.argv[2]));
const loadMs = performance.now() - startMs;
watch(calls);
const watchedMs = performance.now();
extension.activate(context);
const activateMs = performance.now() - watchedMs;
const { user, system } = process.threadCpuUsage(startCpu);
const asked = [...calls];
process.stdout.write(
  JSON.stringify({ loadMs, activateMs, processorMs: (user + system) / 1000, calls: asked }),
  () => process.exit(0),
);
