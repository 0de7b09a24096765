// The list of everything that a release contains (SBOM), in CycloneDX: what npm knows of the packages
// that are locked, for those that are in what is shipped, and Bun.
import { createHash } from "node:crypto";
import { keyOf } from "./shipped.mjs";

const SPEC = "1.5";

/** Its name in a release. */
export const sbomFile = "sbom.cdx.json";

/** A stable id of this content, in the form of a UUID. */
function serialOf(content) {
  const hex = createHash("sha256").update(JSON.stringify(content)).digest("hex");
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`];
  return `urn:uuid:${[...parts, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-")}`;
}

/** Which of our programs has npm fetch something beside it. */
const FETCHING = "rport-backend";

/** A package as npm lists it; its licence is the one that goes along with it. */
function packageComponent(one, listed, scope = "required") {
  const found = listed.get(keyOf(one));
  if (found === undefined) throw new Error(`npm's list has no ${keyOf(one)}, which is shipped.`);
  return {
    "bom-ref": keyOf(one),
    type: "library",
    name: one.name,
    version: one.version,
    scope,
    purl: found.purl,
    hashes: found.hashes,
    licenses: one.licence === undefined ? found.licenses : [{ license: { id: one.licence } }],
  };
}

const website = (url) => [{ type: "website", url }];

/** Bun, with what is linked into it; which versions those have, Bun's own sources say. */
function bunComponent({ version, libraries }) {
  return {
    "bom-ref": `bun@${version}`,
    type: "platform",
    name: "bun",
    version,
    scope: "required",
    purl: `pkg:github/oven-sh/bun@bun-v${version}`,
    licenses: [{ license: { id: "MIT" } }],
    components: libraries.map(({ name, licence, source }) => ({
      "bom-ref": `bun@${version}/${name}`,
      type: "library",
      name,
      licenses: [{ license: { name: licence } }],
      externalReferences: website(source),
    })),
  };
}

const partComponent = ({ name }, version) => ({
  "bom-ref": `${name}@${version}`,
  type: "application",
  name,
  version,
  licenses: [{ license: { id: "MIT" } }],
});

/** What a part needs, by reference. */
function needsOf({ name, packages, hasBun }, { bun, fetched }) {
  const more = name === FETCHING ? fetched : [];
  const runtimes = hasBun ? [`bun@${bun.version}`] : [];
  return [...new Set([...packages.map(keyOf), ...more.map(keyOf), ...runtimes])].sort();
}

/** What depends on what: the release on its parts, these on what is in them, those as npm says. */
function dependenciesOf(root, needed, release) {
  const { version, parts, packages } = release;
  const names = new Set(packages.map(keyOf));
  const rows = packages.map((one) => ({
    ref: keyOf(one),
    dependsOn: (needed.get(keyOf(one)) ?? []).filter((ref) => names.has(ref)).sort(),
  }));
  const own = parts.map((part) => ({
    ref: `${part.name}@${version}`,
    dependsOn: needsOf(part, release),
  }));
  return [{ ref: root["bom-ref"], dependsOn: own.map(({ ref }) => ref) }, ...own, ...rows];
}

/**
 * Makes the list.
 *
 * @param {object} raw what `npm sbom --sbom-format cyclonedx` prints for all that is locked
 * @param {object} release
 * @param {string} release.version
 * @param {number} release.timeS what it has for its time, in seconds since 1970
 * @param {readonly { name: string, hasBun: boolean, packages: object[] }[]} release.parts our programs,
 *   and what the notices of each list
 * @param {readonly object[]} release.packages those of all parts, each once
 * @param {{ version: string, libraries: object[] }} release.bun
 * @param {readonly { name: string, version: string }[]} release.fetched what npm may fetch beside the
 *   server, and no file of the release contains
 * @returns {object} throws when npm does not know of something that is shipped
 */
export function sbomOf(raw, release) {
  const { version, timeS, parts, packages, bun, fetched } = release;
  const listed = new Map(raw.components.map((one) => [keyOf(one), one]));
  const needed = new Map(raw.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
  const root = partComponent({ name: "rport-for-vscode" }, version);
  const hasBun = parts.some((part) => part.hasBun);
  const components = [
    ...parts.map((part) => partComponent(part, version)),
    ...packages.map((one) => packageComponent(one, listed)),
    ...fetched.map((one) => packageComponent(one, listed, "optional")),
    ...(hasBun ? [bunComponent(bun)] : []),
  ];
  const dependencies = dependenciesOf(root, needed, release);
  const content = {
    version: 1,
    metadata: { timestamp: new Date(timeS * 1000).toISOString(), component: root },
    components,
    dependencies,
  };
  return {
    $schema: `http://cyclonedx.org/schema/bom-${SPEC}.schema.json`,
    bomFormat: "CycloneDX",
    specVersion: SPEC,
    serialNumber: serialOf(content),
    version: content.version,
    metadata: content.metadata,
    components: content.components,
    dependencies: content.dependencies,
  };
}
