"use strict";
// Which Node runs the backend: it needs what older ones do not have, SQLite above all.
var fs = require("fs");
var path = require("path");

/** The oldest that it runs on. */
var OLDEST = 24;

/** The npm package that has a Node for a machine, as its optional dependency brings it. */
function packageFor(platform, arch) {
  return "node-" + (platform === "win32" ? "win" : platform) + "-" + arch;
}

function folderOf(name, resolve) {
  try {
    return path.dirname(resolve(name + "/package.json"));
  } catch (_error) {
    return undefined;
  }
}

/**
 * Finds a Node that is new enough: the one that runs this, or npm's.
 *
 * @param {{ execPath: string, platform: string, arch: string, versions: { node: string } }} current
 * @param {(request: string) => string} resolve
 * @returns {string | undefined}
 */
function findNode(current, resolve) {
  if (parseInt(current.versions.node, 10) >= OLDEST) return current.execPath;
  var folder = folderOf(packageFor(current.platform, current.arch), resolve);
  if (folder === undefined) return undefined;
  var file = path.join(folder, "bin", current.platform === "win32" ? "node.exe" : "node");
  return fs.existsSync(file) ? file : undefined;
}

exports.OLDEST = OLDEST;
exports.findNode = findNode;
exports.packageFor = packageFor;
