"""The conformance kit: plays runs to an executor of any language and judges it by what the database then knows.

May import everything of ours; needs nothing but HTTP. Start reading at ``rules.py``.
"""
