"use strict";
// Activates the extension's bundle (the first argument) in a process of its own, with a folder of its storage
// (the second) and one server (the third) that never answers. Prints as JSON how many rows the clients view has
// when it is drawn for the first time, and how long after the beginning of activation, in milliseconds.
const path = require("node:path");
const { context, editor, serve } = require("../support/vscode/bareEditor.cjs");

const [bundle, storage, url] = process.argv.slice(2);
const providers = new Map();

class EventEmitter {
  #listeners = [];
  event = (listener) => {
    this.#listeners.push(listener);
    return { dispose() {} };
  };
  fire(value) {
    for (const listener of this.#listeners) listener(value);
  }
  dispose() {}
}

class TreeItem {
  constructor(label, collapsibleState) {
    this.label = label;
    this.collapsibleState = collapsibleState;
  }
}

class Named {
  constructor(name, color) {
    this.name = name;
    this.color = color;
  }
}

const settings = {
  inspect: () => ({ globalValue: [{ url }] }),
  get: (_, usual) => usual,
};

const window = new Proxy(
  {},
  {
    get(_, name) {
      if (name !== "createTreeView") return editor;
      return (id, { treeDataProvider }) => {
        providers.set(id, treeDataProvider);
        return { visible: true, selection: [], dispose() {} };
      };
    },
  },
);

const workspace = new Proxy(
  {},
  { get: (_, name) => (name === "getConfiguration" ? () => settings : editor) },
);

const vscode = {
  window,
  workspace,
  EventEmitter,
  TreeItem,
  ThemeIcon: Named,
  ThemeColor: Named,
  TreeItemCollapsibleState: { None: 0, Collapsed: 1, Expanded: 2 },
};

serve(new Proxy(vscode, { get: (known, name) => known[name] ?? editor }));

function draw(provider, nodes) {
  let rows = 0;
  for (const node of nodes) {
    rows += 1;
    if (provider.getTreeItem(node).collapsibleState === 2) {
      rows += draw(provider, provider.getChildren(node));
    }
  }
  return rows;
}

const never = new Promise(() => undefined);
const extension = require(path.resolve(bundle));
const startMs = performance.now();
extension.activate({
  ...context,
  secrets: { get: () => never, onDidChange: () => ({ dispose() {} }) },
  globalState: { get: (_, usual) => usual, update: async () => undefined },
  workspaceState: { get: (_, usual) => usual, update: async () => undefined },
  globalStorageUri: { fsPath: storage },
});
const provider = providers.get("rport.clients");
provider.onDidChangeTreeData(() => {
  const rows = draw(provider, provider.getChildren());
  if (rows === 0) return;
  const ms = performance.now() - startMs;
  process.stdout.write(JSON.stringify({ rows, ms }), () => process.exit(0));
});
