"""The look of things: Jinja templates (autoescaped) and the one stylesheet that they share."""
