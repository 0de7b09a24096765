"use strict";
// Runs the backend as a child, and tells whoever looks at its terminal how to begin. In the JavaScript
// of 2009, because the launcher of the npm package is read by whatever Node is there.
var spawn = require("child_process").spawn;

/** Prints a pairing line though no terminal shows it. */
var PRINT_FLAG = "--print-pairing";

function pairingText(url, line) {
  return (
    "\nPair a first host (works once, within 10 minutes, on a host that reaches " +
    url +
    "):\n\n" +
    line +
    "\n"
  );
}

/** What is said to a message of the child, and asked of it. */
function createListener(child, options, isWanted) {
  var url = "";
  return function onMessage(message) {
    if (message.listening) {
      url = message.listening;
      if (options.greeting) options.print(options.greeting);
      if (isWanted) child.send("firstPairing");
      else options.print("Pair hosts in the editor, or start with " + PRINT_FLAG + ".");
    }
    if (message.failed) options.print("No pairing: " + message.failed);
    if (message.firstPairing) options.print(pairingText(url, message.firstPairing));
    if (!message.listening || !isWanted) child.disconnect();
  };
}

/**
 * Starts the backend. A line that pairs a host is made and printed only where somebody reads it: on a
 * terminal, or with `--print-pairing`. A log would keep it while it works.
 *
 * @param {{ node: string, flags: string[], main: string, env: object }} program
 * @param {{ args: string[], isTerminal: boolean, greeting?: string, print: (text: string) => void }}
 *   options `greeting` is printed when it listens
 * @returns {import("node:child_process").ChildProcess}
 */
function serve(program, options) {
  var isWanted = options.isTerminal || options.args.indexOf(PRINT_FLAG) >= 0;
  var args = options.args.filter(function isForBackend(arg) {
    return arg !== PRINT_FLAG;
  });
  var child = spawn(program.node, program.flags.concat([program.main], args), {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: program.env,
  });
  child.on("message", createListener(child, options, isWanted));
  return child;
}

/** Whether Ctrl-C reaches the child by itself, as it reaches all programs of a terminal. */
function hasTerminal() {
  return Boolean(process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY);
}

/** Signals are for the backend; this process ends when it has. */
function passSignals(child) {
  function pass(signal) {
    process.on(signal, function onSignal() {
      child.kill(signal);
    });
  }
  function ignore(signal) {
    process.on(signal, function onSignal() {});
  }
  ["SIGTERM", "SIGHUP", "SIGQUIT"].forEach(pass);
  ["SIGUSR1", "SIGUSR2"].forEach(ignore);
  if (hasTerminal()) ignore("SIGINT");
  else pass("SIGINT");
}

/** Ends this process as the child has ended: with its status, or by the same signal. */
function endLike(child) {
  child.on("exit", function onExit(code, signal) {
    if (code !== null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

exports.serve = serve;
exports.passSignals = passSignals;
exports.endLike = endLike;
