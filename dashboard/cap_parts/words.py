"""What the parts of the page of caps say alike."""

from __future__ import annotations

ONLY_ADMINS = "Limits are changed by the admins of the org or project that they hold for; ask one of them."
