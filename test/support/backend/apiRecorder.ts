import { API_PREFIX } from "@rport/protocol/http";

/** A request that a test makes by hand. */
export interface RecordedRequest {
  readonly method?: string;
  /** Whole, with the prefix of the API. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Calls a backend and keeps every answer as it came, headers included. */
export class ApiRecorder {
  /** Everything that was answered, save what `issue` took out. */
  readonly answers: string[] = [];
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** Sends a request with the token unless it brings another one; answers with the status. */
  async send({ method = "GET", path, headers = {}, body }: RecordedRequest): Promise<number> {
    const init = { method, headers: { Authorization: `Bearer ${this.#token}`, ...headers } };
    const answer = await fetch(this.#url + path, body === undefined ? init : { ...init, body });
    const head = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    this.answers.push(`${answer.status} ${head}\n${await answer.text()}`);
    return answer.status;
  }

  /**
   * Posts to the API where an answer contains secrets by its purpose: the members `secret` of
   * `data` are given to the caller, and what is left of the answer is kept with the others.
   */
  async issue(path: string, body: object, secret: readonly string[]): Promise<string[]> {
    const headers = {
      Authorization: `Bearer ${this.#token}`,
      "Content-Type": "application/json",
    };
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    const answer = await fetch(`${this.#url}${API_PREFIX}${path}`, init);
    const { data } = (await answer.json()) as { data: Record<string, unknown> };
    const values = secret.map((name) => data[name]);
    for (const name of secret) delete data[name];
    this.answers.push(JSON.stringify(data));
    return values.map((value) => (typeof value === "string" ? value : JSON.stringify(value)));
  }
}
