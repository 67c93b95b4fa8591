/** The executor as a process of its own: `deno run --allow-net --allow-env main.ts`. SIGTERM and SIGINT drain it. */

import { configured, Executor } from "./executor.ts";

const { contract, options } = configured();
const executor = new Executor(contract, options);
for (const signal of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(signal, () => executor.drain());
console.log(JSON.stringify({ executor: executor.id, name: options.name }));
await executor.work();
// The signals' listeners would keep the process.
Deno.exit(0);
