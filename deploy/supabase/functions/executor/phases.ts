/** What this executor can do: light phases that wait for others rather than compute. */

import { Json } from "./contract.ts";

/** A phase went wrong; `retryable` where another try may go well. */
export class PhaseFailed extends Error {
  constructor(readonly code: string, message: string, readonly retryable: boolean) {
    super(message);
  }
}

/** Bytes that a phase made, to be registered with its end. */
export interface Artifact {
  name: string;
  kind: string;
  contentType: string;
  bytes: Uint8Array;
}

/** What a handler may touch. */
export interface Context {
  runId: string;
  phase: string;
  /** The number of this try at the phase, from 1. */
  tried: number;
  arguments: Record<string, Json>;
  /** Aborted when the work must stop; its reason says why. */
  signal: AbortSignal;
  /** Hosts that a webhook may go to. */
  webhookHosts: string[];
  progress(message: string): Promise<void>;
  /** Throws LeaseLost unless the run is still ours: to be asked right before something that others can see. */
  fence(): Promise<void>;
}

export type Handler = (context: Context) => Promise<Artifact[]>;

/** A data: URI is immutable and needs no store; what is larger belongs to an executor that has one. */
const MOST_BYTES = 64 * 1024;
const WEBHOOK_MS = 30_000;

/** Publishes `body` as JSON to `url`. A repeat carries the same Idempotency-Key, so that the receiver can leave it out. */
const webhook: Handler = async (context) => {
  const url = webhookUrl(context);
  const bytes = new TextEncoder().encode(JSON.stringify(context.arguments.body ?? null));
  if (bytes.length > MOST_BYTES) {
    throw new PhaseFailed(
      "BAD_INPUT",
      `body has ${bytes.length} bytes; a webhook carries ${MOST_BYTES} at most`,
      false,
    );
  }
  await context.progress(`posting to ${url.host}`);
  await context.fence();
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      body: bytes,
      headers: { "Content-Type": "application/json", "Idempotency-Key": `${context.runId}/${context.phase}` },
      redirect: "manual",
      signal: AbortSignal.any([context.signal, AbortSignal.timeout(WEBHOOK_MS)]),
    });
    await response.body?.cancel();
  } catch (error) {
    context.signal.throwIfAborted();
    throw new PhaseFailed(
      "WEBHOOK_UNREACHABLE",
      `${url.host}: ${error instanceof Error ? error.message : error}`,
      true,
    );
  }
  if (!response.ok) {
    throw new PhaseFailed("WEBHOOK_REFUSED", `${url.host} answered HTTP ${response.status}`, response.status >= 500);
  }
  return [{ name: `${context.phase}.json`, kind: "published", contentType: "application/json", bytes }];
};

function webhookUrl(context: Context): URL {
  let url: URL;
  try {
    url = new URL(String(context.arguments.url));
  } catch {
    throw new PhaseFailed(
      "BAD_INPUT",
      `url is ${JSON.stringify(context.arguments.url ?? null)}; give a whole URL`,
      false,
    );
  }
  if (!["http:", "https:"].includes(url.protocol) || !context.webhookHosts.includes(url.host)) {
    throw new PhaseFailed("NOT_ALLOWED", `${url.host} is not in CONTROLROOM_WEBHOOK_HOSTS; ask the operator`, false);
  }
  return url;
}

/** The phase that `controlroom conformance` asks for; see docs/executor-contract.md. */
const conformance: Handler = async (context) => {
  const { seconds = 0, fail_tries = 0, retryable = false, text = "" } = context.arguments;
  await context.progress("working");
  await pause(Number(seconds) * 1000, context.signal);
  if (context.tried <= Number(fail_tries)) {
    throw new PhaseFailed("CONFORMANCE_FAILED", `try ${context.tried} fails as it was asked to`, retryable === true);
  }
  const bytes = new TextEncoder().encode(String(text));
  return [{ name: `${context.phase}.txt`, kind: "conformance", contentType: "text/plain", bytes }];
};

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stopped = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stopped);
      resolve();
    }, ms);
    signal.addEventListener("abort", stopped, { once: true });
  });
}

export const HANDLERS: ReadonlyMap<string, Handler> = new Map([["webhook", webhook], ["conformance", conformance]]);
