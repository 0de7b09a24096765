import type { EndpointCall, EndpointName, EndpointOutput } from "@rport/protocol/http";
import { OneConnection } from "@rport/protocol/local/oneConnection";
import { restAnswer, restRequest } from "@rport/protocol/restClient";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import { type RunningBackend, type StartOptions, startBackend } from "../backend/backend.ts";

/** A backend whose certificate nobody trusts; it is called by its pin. */
export interface SelfSignedBackend extends RunningBackend {
  readonly pin: TlsPin;
  call<N extends EndpointName>(name: N, call?: EndpointCall<N>): Promise<EndpointOutput<N>>;
}

/** Starts one on 127.0.0.1, with `tls = "self-signed"`. */
export async function startSelfSigned(options: StartOptions = {}): Promise<SelfSignedBackend> {
  const faces = new Set(["agents", "users", "pairing"] as const);
  const tls = { kind: "selfSigned", oldest: "TLSv1.2" } as const;
  const places = [{ host: "127.0.0.1", port: 0, faces, tls }];
  const backend = await startBackend({ places, ...options });
  const { tls: opened, users } = backend.backend;
  const pin = opened.pinAt(users);
  if (pin === undefined) throw new Error("it has no key of its own");
  return {
    ...backend,
    pin,
    async call(name, call = {}) {
      const { path, method, headers: given, body } = restRequest(name, call);
      const authorization = `Bearer ${backend.token}`;
      const headers = { ...given, authorization, connection: "close" };
      const connection = new OneConnection(backend.url, pin);
      try {
        const signal = AbortSignal.timeout(30_000);
        return await restAnswer(
          name,
          await connection.send(path, { method, headers, body, signal }),
        );
      } finally {
        connection.close();
      }
    },
  };
}
