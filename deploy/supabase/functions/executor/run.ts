/** A run's life under one owner: start, phases in dependency order, complete – or the ways out. */

import { Contract, Json, LeaseLost, PhaseState, Refused } from "./contract.ts";
import { Canceled, Draining, Lease } from "./lease.ts";
import { Artifact, HANDLERS, PhaseFailed } from "./phases.ts";

export type Outcome = "succeeded" | "failed" | "canceled" | "released" | "lost";

/** Lives an owned run to its end under this owner. Throws only what nobody foresaw. */
export async function live(contract: Contract, lease: Lease, webhookHosts: string[]): Promise<Outcome> {
  const life = new Life(contract, lease, webhookHosts);
  try {
    await life.work();
    return "succeeded";
  } catch (error) {
    // What the handler threw may only be how it fell over when it was told to stop.
    return await life.end(lease.signal.aborted ? lease.signal.reason : error);
  }
}

class Life {
  #phase: string | undefined;

  constructor(private contract: Contract, private lease: Lease, private webhookHosts: string[]) {}

  async work(): Promise<void> {
    await this.#call("start_run", {});
    const done = new Set<string>();
    const fingerprints: Record<string, string> = {};
    let waiting = this.lease.run.phases;
    while (waiting.length > 0) {
      const next = waiting.find((phase) => phase.depends_on.every((name) => done.has(name)));
      if (!next) throw new PhaseFailed("SPEC_INVALID", "the phases wait for each other in a circle", false);
      fingerprints[next.name] = await this.#carryOut(next);
      done.add(next.name);
      waiting = waiting.filter((phase) => phase !== next);
    }
    await this.#call("complete_run", { output_manifest: { phases: fingerprints } });
  }

  /** Writes down how it ended; where the lease is gone, nothing. */
  async end(reason: unknown): Promise<Outcome> {
    try {
      if (reason instanceof LeaseLost) throw reason;
      if (reason instanceof Canceled) {
        await this.#closePhase("canceled", "RUN_CANCELED", reason.message);
        await this.#call("release_canceled_run", { reason: reason.message });
        return "canceled";
      }
      if (reason instanceof Draining) {
        await this.#call("release_run", {});
        return "released";
      }
      const failure = reason instanceof PhaseFailed ? reason : asFailure(reason);
      await this.#closePhase("failed", failure.code, failure.message);
      await this.#call("fail_run", {
        error_code: failure.code,
        error_message: failure.message,
        retryable: failure.retryable,
      });
      return "failed";
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error;
      console.warn(`lease lost, stopping: ${error.message}`);
      return "lost";
    }
  }

  /** Carries out one phase, or skips what an earlier owner finished; returns its output fingerprint. */
  async #carryOut(phase: PhaseState): Promise<string> {
    this.lease.signal.throwIfAborted();
    if (phase.status === "succeeded" || phase.status === "skipped") {
      await this.#finish(phase.name, "skipped", {});
      return phase.output_fingerprint ?? "";
    }
    const handler = HANDLERS.get(phase.kind);
    if (!handler) {
      throw new PhaseFailed("NOT_FOUND", `this executor has no handler for phases of kind ${phase.kind}`, false);
    }
    const event = crypto.randomUUID();
    const tried = await this.#call<number>("start_phase", {
      phase: phase.name,
      input_fingerprint: null,
      event_id: event,
    });
    this.#phase = phase.name;
    const artifacts = await handler({
      runId: this.lease.run.run_id,
      phase: phase.name,
      tried,
      arguments: this.lease.run.spec.phases.find((each) => each.name === phase.name)?.with ?? {},
      signal: this.lease.signal,
      webhookHosts: this.webhookHosts,
      progress: (message) => this.#progress(phase.name, message),
      fence: () => this.#call("heartbeat_run", {}),
    });
    this.lease.signal.throwIfAborted();
    const fingerprint = await this.#register(phase.name, artifacts);
    await this.#finish(phase.name, "succeeded", {
      byte_size: artifacts.reduce((sum, artifact) => sum + artifact.bytes.length, 0),
      output_fingerprint: fingerprint,
    });
    this.#phase = undefined;
    return fingerprint;
  }

  async #progress(phase: string, message: string): Promise<void> {
    const event = { type: "PHASE_PROGRESS", phase, message, event_id: crypto.randomUUID() };
    await this.#call("append_events", { events: [event] });
  }

  async #register(phase: string, artifacts: Artifact[]): Promise<string> {
    const digests: string[] = [];
    for (const artifact of artifacts) {
      const sha256 = await hexDigest(artifact.bytes);
      digests.push(sha256);
      await this.#call("register_artifact", {
        phase,
        name: artifact.name,
        kind: artifact.kind,
        sha256,
        byte_size: artifact.bytes.length,
        content_type: artifact.contentType,
        uri: `data:${artifact.contentType};base64,${base64(artifact.bytes)}`,
        meta: {},
      });
    }
    return await hexDigest(new TextEncoder().encode(digests.join(" ")));
  }

  async #closePhase(status: "failed" | "canceled", code: string, message: string): Promise<void> {
    if (this.#phase) await this.#finish(this.#phase, status, { error_code: code, error_message: message });
  }

  async #finish(phase: string, status: string, result: Record<string, Json>): Promise<void> {
    await this.#call("finish_phase", { phase, status, result });
  }

  #call<T = void>(rpc: string, args: Record<string, Json>): Promise<T> {
    const { run_id, lease_token } = this.lease.run;
    return this.lease.surely(() => this.contract.call<T>(rpc, { run_id, lease_token, ...args }));
  }
}

function asFailure(error: unknown): PhaseFailed {
  if (error instanceof Refused) return new PhaseFailed(error.code, error.message, false);
  return new PhaseFailed(
    "PHASE_FAILED",
    error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    false,
  );
}

async function hexDigest(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes)));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function base64(bytes: Uint8Array): string {
  return btoa([...bytes].map((byte) => String.fromCharCode(byte)).join(""));
}
