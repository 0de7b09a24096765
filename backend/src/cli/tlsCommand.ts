import { X509Certificate } from "node:crypto";
import { readSmallFile } from "@rport/protocol/local/smallFile";
import { wrongSetting } from "../config/check.ts";
import { DATA_DIR_FLAGS, dataDirFlags } from "../config/dataDirFlags.ts";
import { readFlags } from "../config/flags.ts";
import { systemClock } from "../platform/clock.ts";
import type { CommandResult, DataDirOf } from "../platform/commandResult.ts";
import { StartFailure } from "../platform/startFailure.ts";
import { dataPaths } from "../store/files/dataDirectory.ts";
import { parsePair } from "../tls/certificatePair.ts";
import { makeOwnKey, OWN_FILE_MAX_BYTES, type OwnFiles, ownNames } from "../tls/ownCertificate.ts";

/** What `tls --help` prints. */
const HELP = `Usage: rport-backend tls pin [flags]
       rport-backend tls new-key --yes [flags]

For a backend with [server] tls = "self-signed". "pin" prints what its key is recognised by. "new-key" makes
another key; a running backend uses it within seconds. Hosts and editors that know the old one refuse the server
from then on: put the new pin into tls_pin of each host's rport.conf, and accept it in each editor.

      --data-dir DIR  where the backend keeps everything; also -c and RPORT_SERVER_DATA_DIR
  -c, --config FILE
      --yes           do it
  -h, --help`;

const FLAGS = {
  ...DATA_DIR_FLAGS,
  yes: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** Runs `tls ...`, given the arguments after that word. Fails with a `StartFailure`. */
export async function tlsCommand(
  argv: readonly string[],
  dataDirOf: DataDirOf,
): Promise<CommandResult> {
  const { values, positionals } = readFlags(argv, FLAGS);
  if (values.help === true) return { lines: [HELP], exitCode: 0 };
  const word = positionals.join(" ");
  if (word !== "pin" && word !== "new-key") {
    throw wrongSetting('command line: "tls" knows pin and new-key. See tls --help.');
  }
  const { ownCertificate: certFile, ownCertificateKey: keyFile } = dataPaths(
    dataDirOf(dataDirFlags(values)),
  );
  const files = { certFile, keyFile };
  if (word === "pin") return { lines: [await pinIn(files)], exitCode: 0 };
  if (values.yes !== true) {
    throw wrongSetting(
      "command line: a new key makes every host and editor refuse this server that knows the old one. Add --yes to make it.",
    );
  }
  await makeOwnKey(files, { names: await namesIn(files), nowMs: systemClock.now() });
  return { lines: [await pinIn(files)], exitCode: 0 };
}

async function pinIn({ certFile, keyFile }: OwnFiles): Promise<string> {
  const [certificate, key] = await Promise.all([
    readSmallFile(certFile, OWN_FILE_MAX_BYTES),
    readSmallFile(keyFile, OWN_FILE_MAX_BYTES),
  ]).catch((cause: unknown): never => {
    const text = `There is no certificate of its own in ${certFile}: the backend makes it at a start with --tls self-signed.`;
    throw new StartFailure("data", text, { cause });
  });
  return parsePair(certificate, key).pin;
}

/** What the certificate before was for. */
async function namesIn({ certFile }: OwnFiles): Promise<readonly string[]> {
  try {
    const { subjectAltName = "" } = new X509Certificate(
      await readSmallFile(certFile, OWN_FILE_MAX_BYTES),
    );
    return subjectAltName.split(", ").map((name) => name.replace(/^(DNS|IP Address):/, ""));
  } catch {
    return ownNames([]);
  }
}
