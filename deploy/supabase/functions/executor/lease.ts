/** Leases and the timer that renews them. JavaScript has one thread: a phase that computes for seconds would hold it up. */

import { ClaimedRun, Contract, LeaseLost, Renewed, Unanswered } from "./contract.ts";
import { PhaseFailed } from "./phases.ts";

/** Someone asked for the run to end. */
export class Canceled extends Error {}

/** This executor is told to end: what it owns goes back. */
export class Draining extends Error {}

/** An owned run. `signal` is aborted, with the reason, when its work must stop. */
export class Lease {
  #controller = new AbortController();
  /** When the lease surely ends if nothing is heard, on this process's clock; counted from before it was asked for. */
  until: number;

  constructor(readonly run: ClaimedRun, askedAt: number, readonly seconds: number) {
    this.until = askedAt + seconds * 1000;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get over(): boolean {
    return performance.now() >= this.until;
  }

  stop(reason: LeaseLost | Canceled | Draining | PhaseFailed): void {
    this.#controller.abort(reason);
  }

  /** Repeats a call that nobody answered, for as long as the lease may be held. */
  async surely<T>(call: () => Promise<T>): Promise<T> {
    for (let pause = 50;; pause = Math.min(pause * 2, 1000)) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error;
        if (this.over) throw new LeaseLost(`no answer until the lease ended: ${error.message}`);
        await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random() / 2)));
      }
    }
  }
}

/**
 * Renews all leases of an executor in one call, three times a lease; without any it says that the executor lives. Calls
 * `drained` when somebody has asked the executor to take no further run.
 */
export class Renewer {
  #leases = new Map<string, Lease>();
  #timer: ReturnType<typeof setInterval>;
  #busy = false;

  constructor(
    private readonly contract: Contract,
    private readonly executorId: string,
    private readonly seconds: number,
    private readonly drained: () => void,
  ) {
    this.#timer = setInterval(() => this.#renew(), (seconds * 1000) / 3);
  }

  add(lease: Lease): void {
    this.#leases.set(lease.run.run_id, lease);
  }

  remove(lease: Lease): void {
    if (this.#leases.get(lease.run.run_id) === lease) this.#leases.delete(lease.run.run_id);
  }

  get owned(): Lease[] {
    return [...this.#leases.values()];
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #renew(): Promise<void> {
    if (this.#busy) return this.#giveUpWhatIsOver();
    this.#busy = true;
    const leases = this.owned;
    const asked = performance.now();
    try {
      const answers = await this.contract.call<Renewed[]>("heartbeat_runs", {
        executor_id: this.executorId,
        run_ids: leases.map((lease) => lease.run.run_id),
        lease_tokens: leases.map((lease) => lease.run.lease_token),
        lease_seconds: this.seconds,
      });
      const told = new Map(answers.map((answer) => [answer.run_id, answer]));
      for (const lease of leases) this.#heed(lease, told.get(lease.run.run_id), asked);
      if (await this.contract.call<boolean>("is_draining", { executor_id: this.executorId })) this.drained();
    } catch (error) {
      console.warn(`leases not renewed: ${error instanceof Error ? error.message : error}`);
      this.#giveUpWhatIsOver();
    } finally {
      this.#busy = false;
    }
  }

  #heed(lease: Lease, answer: Renewed | undefined, asked: number): void {
    if (!answer?.held) return lease.stop(new LeaseLost(`the lease of run ${lease.run.run_id} is gone`));
    lease.until = asked + this.seconds * 1000;
    if (answer.cancel_requested) lease.stop(new Canceled("canceled on request"));
    else if (answer.cap_exceeded) lease.stop(new PhaseFailed("CAP_EXCEEDED", answer.cap_exceeded, false));
  }

  #giveUpWhatIsOver(): void {
    for (const lease of this.owned) {
      if (lease.over) lease.stop(new LeaseLost(`the lease of run ${lease.run.run_id} ended unrenewed`));
    }
  }
}
