#!/usr/bin/env node
"use strict";
// The program `rport-backend` of the npm package: runs the backend on a Node that is new enough, or
// says in a sentence what is needed.
var path = require("path");
var found = require("./node.cjs");
var backendProcess = require("./backendProcess.json");
var start = require("./serve.cjs");

/** How often it looks whether its parent is there. */
var PARENT_LOOK_MS = 1000;

function fail(sentence) {
  process.stderr.write("rport-backend: " + sentence + "\n");
  process.exit(1);
}

/** The child's environment: ours, and what ours does not set. */
function environment() {
  var env = {};
  [backendProcess.environment, process.env].forEach(function take(from) {
    Object.keys(from).forEach(function copy(name) {
      env[name] = from[name];
    });
  });
  return env;
}

/**
 * A shell of npx ends at a signal without a word to its program, which would then serve on and on. So
 * it ends when its parent has.
 */
function endWithParent(child) {
  var parent = process.ppid;
  if (process.env.npm_command !== "exec" || parent === undefined) return;
  setInterval(function look() {
    if (process.ppid !== parent) child.kill("SIGTERM");
  }, PARENT_LOOK_MS).unref();
}

function run(node) {
  var program = {
    node: node,
    flags: backendProcess.flags,
    main: path.join(__dirname, "..", "lib", "main.mjs"),
    env: environment(),
  };
  var child = start.serve(program, {
    args: process.argv.slice(2),
    isTerminal: process.stdout.isTTY === true,
    print: function print(text) {
      process.stdout.write(text + "\n");
    },
  });
  child.on("error", function onError(error) {
    fail(node + " cannot be started (" + error.message + "); Node " + found.OLDEST + " is needed.");
  });
  start.passSignals(child);
  start.endLike(child);
  endWithParent(child);
}

var node = found.findNode(process, require.resolve);
if (node) {
  run(node);
} else {
  fail(
    "Node " +
      found.OLDEST +
      " or newer is needed, this is " +
      process.versions.node +
      ": install it, or install this package again with the optional one that has it, " +
      found.packageFor(process.platform, process.arch) +
      "."
  );
}
