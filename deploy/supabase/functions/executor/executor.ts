/** The executor: claims while it has free slots, lives each run, renews the leases, drains when told. */

import { ClaimedRun, Contract, Unanswered } from "./contract.ts";
import { Draining, Lease, Renewer } from "./lease.ts";
import { live, Outcome } from "./run.ts";

export interface Options {
  name: string;
  /** What runs may need of it. */
  capabilities: string[];
  /** Takes no run that needs nothing, because it can do nothing but light phases. */
  dedicated: boolean;
  slots: number;
  leaseSeconds: number;
  webhookHosts: string[];
}

const POLL_MS = 1000;

/** Options from the environment; see deploy/supabase/README.md. Throws where one that is needed is missing. */
export function configured(): { contract: Contract; options: Options } {
  const env = (name: string, fallback?: string): string => {
    const value = Deno.env.get(name) || fallback;
    if (value === undefined) throw new Error(`${name} is not set; see deploy/supabase/README.md`);
    return value;
  };
  const list = (text: string): string[] => text.split(",").map((each) => each.trim()).filter(Boolean);
  const supabase = Deno.env.get("SUPABASE_URL");
  const url = env("CONTROLROOM_HTTP_URL", supabase && `${supabase}/rest/v1`);
  return {
    contract: new Contract(url, env("CONTROLROOM_HTTP_TOKEN"), Deno.env.get("SUPABASE_ANON_KEY")),
    options: {
      name: env("CONTROLROOM_EXECUTOR_NAME", "edge"),
      capabilities: list(env("CONTROLROOM_CAPABILITIES", "webhook")),
      dedicated: env("CONTROLROOM_DEDICATED", "true") === "true",
      slots: Number(env("CONTROLROOM_SLOTS", "4")),
      leaseSeconds: Number(env("CONTROLROOM_LEASE_SECONDS", "30")),
      webhookHosts: list(env("CONTROLROOM_WEBHOOK_HOSTS", "")),
    },
  };
}

export class Executor {
  /** New at every boot: a reused id would hide an orphan. */
  readonly id = crypto.randomUUID();
  #draining = new AbortController();
  #lives = new Set<Promise<void>>();
  #wake = (): void => {};
  readonly outcomes: Partial<Record<Outcome, number>> = {};

  constructor(private readonly contract: Contract, private readonly options: Options) {}

  /** Claims and lives runs until drained or, with `untilIdle`, until there is nothing to do. */
  async work(untilIdle = false): Promise<void> {
    await this.#register(untilIdle);
    if (this.#draining.signal.aborted) return;
    const renewer = new Renewer(this.contract, this.id, this.options.leaseSeconds, () => this.drain());
    this.#draining.signal.addEventListener("abort", () => {
      for (const lease of renewer.owned) lease.stop(new Draining("told to end"));
    });
    try {
      while (!this.#draining.signal.aborted) {
        if (await this.#claim(renewer)) continue;
        if (untilIdle && this.#lives.size === 0) break;
        await this.#wait();
      }
      await Promise.all(this.#lives);
      await this.contract.call("executor_seen", { executor_id: this.id, state: "lost" });
    } finally {
      renewer.close();
    }
  }

  /** Claims nothing more and gives back what is owned. */
  drain(): void {
    this.#draining.abort();
    this.#wake();
  }

  /** A process waits for its control room; a function is called again. */
  async #register(once: boolean): Promise<void> {
    const { name, capabilities, slots } = this.options;
    const about = { executor_id: this.id, name, capabilities, labels: { runtime: "deno" }, slots };
    while (!this.#draining.signal.aborted) {
      try {
        return await this.contract.call("register_executor", { ...about, host: "", version: Deno.version.deno });
      } catch (error) {
        if (once || !(error instanceof Unanswered)) throw error;
        console.warn(`waiting for the control room: ${error.message}`);
        await this.#wait();
      }
    }
  }

  async #claim(renewer: Renewer): Promise<boolean> {
    const free = this.options.slots - this.#lives.size;
    if (free <= 0) return false;
    const asked = performance.now();
    let runs: ClaimedRun[];
    try {
      runs = await this.contract.call<ClaimedRun[]>("claim_run", {
        executor_id: this.id,
        capabilities: this.options.capabilities,
        lease_seconds: this.options.leaseSeconds,
        max_runs: free,
        dedicated: this.options.dedicated,
      });
    } catch (error) {
      console.warn(`no runs claimed: ${error instanceof Error ? error.message : error}`);
      return false;
    }
    for (const run of runs) this.#begin(new Lease(run, asked, this.options.leaseSeconds), renewer);
    return runs.length > 0;
  }

  #begin(lease: Lease, renewer: Renewer): void {
    renewer.add(lease);
    // A drain may have begun while the claim was under way.
    if (this.#draining.signal.aborted) lease.stop(new Draining("told to end"));
    const life = live(this.contract, lease, this.options.webhookHosts)
      .then((outcome) => {
        this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
        console.log(JSON.stringify({ run: lease.run.run_id, lease_token: lease.run.lease_token, outcome }));
      })
      // The lease ends by itself and the next owner goes on.
      .catch((error) => console.error(`the end of run ${lease.run.run_id} was not written down: ${error}`))
      .finally(() => {
        renewer.remove(lease);
        this.#lives.delete(life);
        this.#wake();
      });
    this.#lives.add(life);
  }

  /** Until a run has ended, a drain began or a poll is due. */
  #wait(): Promise<void> {
    return new Promise((resolve) => {
      const due = setTimeout(() => this.#wake(), POLL_MS * (0.5 + Math.random() / 2));
      this.#wake = () => {
        clearTimeout(due);
        this.#wake = () => {};
        resolve();
      };
    });
  }
}
