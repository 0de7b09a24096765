"use strict";
// An editor that answers everything and does nothing, for an extension that is loaded without one.
const Module = require("node:module");

/** Whatever is asked of it is itself again, also as a function and as a class. */
const editor = new Proxy(class Anything {}, {
  get: (_, name) => (name === Symbol.toPrimitive ? () => "" : editor),
  set: () => true,
  apply: () => editor,
  construct: () => editor,
});

/** What the editor hands over; whatever it keeps for an extension is in a folder that is not there. */
const context = {
  subscriptions: [],
  secrets: editor,
  globalState: editor,
  workspaceState: editor,
  extensionUri: editor,
  extensionPath: "/nowhere",
  globalStorageUri: { fsPath: "/nowhere" },
};

/** From now on, whoever asks for `vscode` gets this. */
function serve(vscode) {
  const load = Module._load;
  Module._load = function loadForExtension(request, ...rest) {
    return request === "vscode" ? vscode : load.call(this, request, ...rest);
  };
}

module.exports = { editor, context, serve };
