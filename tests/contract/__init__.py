"""The executor contract over HTTP: a real PostgREST before a real Postgres, a real Deno, and the kit that judges executors."""
