import { type RunningBackend, type StartOptions, startBackend } from "../backend/backend.ts";
import { tempDirectory } from "../tempDirectory.ts";
import { type TestCertificate, testCertificate, writeCertificate } from "./testCertificate.ts";

/** A backend that speaks TLS with a certificate of its own, in files that a test may change. */
export interface TlsBackend extends RunningBackend {
  readonly first: TestCertificate;
  readonly certFile: string;
  /** Puts another certificate into the files. */
  put(next: Pick<TestCertificate, "certificate" | "key">): Promise<void>;
}

/** Starts one, on 127.0.0.1 for all faces unless `options` say otherwise. */
export async function startTlsBackend(
  options: StartOptions = {},
  first = testCertificate(),
): Promise<TlsBackend> {
  await using opened = new AsyncDisposableStack();
  const { path } = opened.use(await tempDirectory());
  const { certFile, keyFile } = await writeCertificate(path, first);
  const tls = { kind: "files", certFile, keyFile, section: "server", oldest: "TLSv1.2" } as const;
  const faces = new Set(["agents", "users", "pairing"] as const);
  const places = [{ host: "127.0.0.1", port: 0, faces, tls }];
  const backend = opened.use(await startBackend({ places, ...options }));
  const closing = opened.move();
  return {
    ...backend,
    first,
    certFile,
    put: async (next) => void (await writeCertificate(path, next)),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
