/** The executor as a Supabase Edge Function: each request works until nothing is queued, or until the runtime ends it. */

import { configured, Executor } from "./executor.ts";

/** Well below what the runtime allows a function: what is owned then goes back in good order. */
const WORK_MS = Number(Deno.env.get("CONTROLROOM_WORK_SECONDS") ?? "100") * 1000;

Deno.serve(async (request) => {
  if (request.method !== "POST") return new Response(null, { status: 405, headers: { Allow: "POST" } });
  const { contract, options } = configured();
  const executor = new Executor(contract, options);
  const drain = (): void => executor.drain();
  const timer = setTimeout(drain, WORK_MS);
  addEventListener("beforeunload", drain);
  try {
    await executor.work(true);
    return Response.json({ executor: executor.id, outcomes: executor.outcomes });
  } finally {
    clearTimeout(timer);
    removeEventListener("beforeunload", drain);
  }
});
