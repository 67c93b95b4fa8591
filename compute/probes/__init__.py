"""Probes of capabilities: each exercises what the CAPS report says we have, on the running stack."""
