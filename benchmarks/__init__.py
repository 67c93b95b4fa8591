"""Side-by-side comparisons with peers and with the physical limit; one command each.

May import every folder. Start at ``benchmarks/__main__.py``; each benchmark is a module with ``run(settings) -> Report``.
"""
