"""The Python face of the ``ops`` schema: settings, connections, typed RPCs, embedded Postgres, artifacts, errors.

May import nothing of ours. Start reading in :mod:`ops.model` and :mod:`ops.rpc`."""
