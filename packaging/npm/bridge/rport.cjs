#!/usr/bin/env node
"use strict";
// The program `rport` of the npm package: the bundle, on a Node that is new enough, or a sentence that
// says what is needed. In the JavaScript of 2009, because whatever Node is there reads it.

/** The oldest that the bundle runs on. */
var OLDEST = 22;
/** What the bundle answers where it cannot be said otherwise. */
var FAILED = 255;

if (parseInt(process.versions.node, 10) >= OLDEST) {
  require("../lib/bridge.cjs");
} else {
  process.stderr.write(
    "rport: Node " + OLDEST + " or newer is needed, this is " + process.versions.node + ".\n"
  );
  process.exit(FAILED);
}
