"""Whole stories from the outside: the demo, the browser, BI. Start reading at ``test_demo.py``."""
