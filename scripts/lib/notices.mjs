// What is bundled was written by others, whose licences ask to go along: a webpack plugin that
// gathers them from exactly the packages that are in a bundle, and refuses what may not be in one.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./paths.mjs";

/** The name of the file, beside each bundle. */
export const noticesFile = "THIRD-PARTY-NOTICES.txt";

/** Licences whose only conditions are that they and their notices go along. */
export const allowedLicences = [
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "MIT",
  "Unlicense",
];

const packageFolder = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/;
const licenceFile = /^(licen[cs]e|copying|notice)/i;
const rule = "-".repeat(80);

/** The SPDX name in a `package.json`; old ones have a list of objects. */
function licenceIn({ license, licenses }) {
  const named = license ?? licenses?.[0];
  return (typeof named === "object" ? named?.type : named) ?? "";
}

function describe(folder) {
  const written = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const texts = readdirSync(folder)
    .filter((name) => licenceFile.test(name))
    .map((name) => readFileSync(join(folder, name), "utf8").trim());
  const { name, version, repository } = written;
  const source = repository?.url ?? repository ?? name;
  const text = texts.length > 0 ? texts.join("\n\n") : textOfRepository(name);
  return { name, version, source, licence: licenceIn(written), text };
}

/** The licence that a package's repository has and its archive was made without; empty: not known. */
function textOfRepository(name) {
  const file = join(root, "scripts", "lib", "licences", `${name.replace("/", "+")}.txt`);
  return existsSync(file) ? readFileSync(file, "utf8").trim() : "";
}

/** A package without a text of its own has that of its repository, which another one may bring. */
export function withSharedTexts(packages) {
  return packages.map((one) => {
    const fits = ({ source, licence, text }) =>
      source === one.source && licence === one.licence && text !== "";
    return one.text === "" ? { ...one, text: packages.find(fits)?.text ?? "" } : one;
  });
}

/** @returns {string[]} why a package may not be shipped; empty when it may */
export function whyNotShipped({ name, licence, text }) {
  const reasons = [];
  if (!allowedLicences.includes(licence)) reasons.push(`${name} has the licence "${licence}"`);
  if (text === "") reasons.push(`${name} comes without the text of its licence`);
  return reasons;
}

/** The text that goes along with a bundle. */
export function noticesText(packages) {
  const parts = packages.map(
    ({ name, version, licence, text }) => `${rule}\n${name} ${version} (${licence})\n\n${text}\n`,
  );
  return `This program contains software of others, under these licences.\n\n${parts.join("\n")}`;
}

/** What a compiled executable contains beside the bundle. */
export const bunNotices = () =>
  readFileSync(join(root, "scripts", "lib", "bunNotices.txt"), "utf8");

function foldersIn(compilation) {
  const modules = [...compilation.modules].flatMap((one) => [one, ...(one.modules ?? [])]);
  const folders = modules.map(({ resource }) => packageFolder.exec(resource ?? "")?.[0]);
  return [...new Set(folders)].filter((folder) => folder && existsSync(folder)).sort();
}

/** Puts the licences of all bundled packages beside the bundle. */
export class NoticesPlugin {
  apply(compiler) {
    const name = "NoticesPlugin";
    const { Compilation, WebpackError, sources } = compiler.webpack;
    compiler.hooks.compilation.tap(name, (compilation) => {
      const stage = Compilation.PROCESS_ASSETS_STAGE_REPORT;
      compilation.hooks.processAssets.tap({ name, stage }, () => {
        const packages = withSharedTexts(foldersIn(compilation).map(describe));
        for (const reason of packages.flatMap(whyNotShipped)) {
          compilation.errors.push(new WebpackError(`${reason}, so it is not shipped.`));
        }
        if (packages.length === 0) return;
        compilation.emitAsset(noticesFile, new sources.RawSource(noticesText(packages)));
      });
    });
  }
}
