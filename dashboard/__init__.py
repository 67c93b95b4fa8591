"""The control room's screen: a Streamlit app that reads and acts through ``ops``.

May import ``ops`` and ``pipelines.spec``.
"""
