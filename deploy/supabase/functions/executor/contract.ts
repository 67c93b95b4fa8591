/** The executor's half of the contract: RPCs over PostgREST, and their errors. Imports nothing. */

/** The contract refused a call; `code` is stable (`LEASE_LOST`, `CONFLICT`, …), see docs/openapi.json. */
export class Refused extends Error {
  constructor(readonly code: string, message: string, readonly status: number) {
    super(message);
  }
}

/** The run is somebody else's now: stop at once and write nothing. */
export class LeaseLost extends Refused {
  constructor(message: string) {
    super("LEASE_LOST", message, 412);
  }
}

/** No answer came, so the call may have happened. Every call of the contract but a claim may be repeated. */
export class Unanswered extends Error {}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Arguments = Record<string, Json>;

/** A phase of a claimed run, and how far an earlier owner came with it. */
export interface PhaseState {
  name: string;
  kind: string;
  depends_on: string[];
  status: "pending" | "running" | "succeeded" | "failed" | "skipped" | "canceled";
  output_fingerprint: string | null;
}

export interface ClaimedRun {
  run_id: string;
  /** A bigint. As a number it is exact up to 2^53, which claims alone do not reach. */
  lease_token: number;
  spec: { phases: { name: string; with?: Record<string, Json> }[] };
  attempt: number;
  phases: PhaseState[];
}

export interface Renewed {
  run_id: string;
  held: boolean;
  cancel_requested: boolean;
  /** In words, the cap that is used up; null where none is. */
  cap_exceeded: string | null;
}

const ANSWER_MS = 10_000;

/** Calls of schema `api` under one token. */
export class Contract {
  #headers: Record<string, string>;

  /**
   * @param url of PostgREST; on Supabase it ends in `/rest/v1`.
   * @param token a JSON Web Token whose role is `controlroom_executor`.
   * @param apikey what Supabase's gateway wants beside it.
   */
  constructor(private readonly url: string, token: string, apikey?: string) {
    this.#headers = {
      "Authorization": `Bearer ${token}`,
      "Content-Type": "application/json",
      "Content-Profile": "api",
      ...(apikey ? { apikey } : {}),
    };
  }

  /**
   * One call.
   * @throws {LeaseLost} the lease is gone. @throws {Refused} any other error of the contract.
   * @throws {Unanswered} nothing was heard, or the server could not.
   */
  async call<T = void>(rpc: string, args: Arguments): Promise<T> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${this.url}/rpc/${rpc}`, {
        method: "POST",
        headers: this.#headers,
        body: JSON.stringify(Object.fromEntries(Object.entries(args).map(([name, value]) => [`p_${name}`, value]))),
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      text = await response.text();
    } catch (error) {
      throw new Unanswered(`${rpc}: ${error instanceof Error ? error.message : error}`);
    }
    if (response.status >= 500) throw new Unanswered(`${rpc}: HTTP ${response.status}: ${text.slice(0, 200)}`);
    if (!response.ok) throw refusal(rpc, response.status, text);
    return (text ? JSON.parse(text) : undefined) as T;
  }
}

function refusal(rpc: string, status: number, text: string): Refused {
  let said: { code?: string; message?: string };
  try {
    said = JSON.parse(text);
  } catch {
    said = { message: text.slice(0, 200) };
  }
  const message = `${rpc}: ${said.message ?? `HTTP ${status}`}`;
  return said.code === "LEASE_LOST" ? new LeaseLost(message) : new Refused(said.code ?? "HTTP", message, status);
}
