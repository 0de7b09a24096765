import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { EsbuildPlugin } from "esbuild-loader";
import webpack from "webpack";
import { NoticesPlugin } from "./scripts/lib/notices.mjs";

const root = dirname(fileURLToPath(import.meta.url));

/** TypeScript through esbuild: types are `tsc -b`'s job. */
const typescript = (target) => ({
  test: /\.ts$/,
  loader: "esbuild-loader",
  options: { target, tsconfigRaw: {} },
});

/** chacha20-poly1305 is never offered, and the agent must start where there is no WebAssembly. */
const withoutWebAssembly = {
  "./crypto/poly1305.js": join(root, "backend/protocol/stubs/poly1305.cjs"),
};

/**
 * Optional native add-ons of ssh2, ws and the agents for proxies: left out, so that their `require`
 * fails as it does where they were never built. A Bun build could otherwise embed the build host's
 * add-on.
 */
const withoutAddOns = new webpack.IgnorePlugin({
  resourceRegExp: /sshcrypto\.node$|^(cpu-features|bufferutil|utf-8-validate|kerberos)$/,
});

/**
 * What a Node opens terminals with: in the agent's bundle, which hosts get alone. Where npm has not
 * put it, for this is no Linux on x64, the bundle is without, and says so to whoever wants terminals.
 */
const ptyLibrary = join(root, "node_modules/@lydell/node-pty-linux-x64/pty.node");
const withTerminals = existsSync(ptyLibrary)
  ? [new webpack.ProvidePlugin({ RPORT_PTY_LIBRARY: ptyLibrary })]
  : [];

const inlined = {
  test: /\.node$/,
  type: "asset/inline",
  generator: { dataUrl: { mimetype: "application/octet-stream", encoding: "base64" } },
};

/** A page exports nothing; a program is a module of the kind that its name says. */
function libraryOf(platform, output) {
  if (platform === "web") return undefined;
  return { type: output.endsWith(".mjs") ? "module" : "commonjs2" };
}

/** What all bundles share; `target` is esbuild's, `platform` webpack's. */
const bundle = ({ name, platform, target, entry, output, chunks, ...extra }) => ({
  name,
  mode: "production",
  target: platform,
  devtool: name === "agent" ? false : "source-map",
  entry: join(root, entry),
  output: {
    path: join(root, dirname(output)),
    filename: basename(output),
    chunkFilename: chunks,
    library: libraryOf(platform, output),
  },
  resolve: { extensions: [".ts", ".js"], alias: withoutWebAssembly },
  module: { rules: [typescript(target)] },
  plugins: [withoutAddOns, new NoticesPlugin()],
  performance: { hints: false },
  // every bundle is one file
  optimization: { splitChunks: false, runtimeChunk: false },
  stats: "errors-warnings",
  ...extra,
});

/** The `Worker` of Node by the name that this project imports it by. */
const workers = ["...", "Worker from node:worker_threads"];

/** Bundles over one rule; `webpack --config-name NAME` builds one. */
export default [
  bundle({
    name: "agent",
    platform: "node20",
    target: "node20",
    entry: "agent/src/main.ts",
    output: "dist/agent/agent.cjs",
    // what is imported on demand is in the one file, too, and runs only then
    module: {
      rules: [typescript("node20"), inlined],
      parser: { javascript: { dynamicImportMode: "eager" } },
    },
    plugins: [withoutAddOns, new NoticesPlugin(), ...withTerminals],
  }),
  bundle({
    name: "extension",
    platform: "node22",
    target: "node22",
    entry: "extension/src/extension.ts",
    output: "extension/dist/extension.cjs",
    externals: { vscode: "commonjs vscode" },
  }),
  bundle({
    name: "bridge",
    platform: "node22",
    target: "node22",
    entry: "extension/src/ssh/bridge/main.ts",
    output: "extension/dist/bridge/bridge.cjs",
    devtool: false,
  }),
  bundle({
    name: "webview",
    platform: "web",
    target: "es2023",
    entry: "webview-ui/src/main.ts",
    output: "extension/dist/webview/main.js",
    devtool: false,
    module: {
      rules: [
        typescript("es2023"),
        { test: /\.css$/, type: "asset/resource", generator: { filename: "[name][ext]" } },
      ],
    },
  }),
  bundle({
    name: "backend",
    platform: "node24",
    target: "node24",
    entry: "backend/src/main.ts",
    output: "dist/npm/rport-backend/lib/main.mjs",
    devtool: false,
    // where it is, is asked when it runs
    module: {
      rules: [typescript("node24")],
      // what express would load for views is not there: nothing has one
      parser: {
        javascript: {
          importMeta: false,
          createRequire: false,
          worker: workers,
          exprContextCritical: false,
        },
      },
    },
    experiments: { outputModule: true },
    chunks: "[name].mjs",
    optimization: {
      splitChunks: false,
      runtimeChunk: false,
      // Terser takes half a minute for it
      minimizer: [new EsbuildPlugin({ target: "node24", format: "esm", treeShaking: true })],
    },
  }),
];
