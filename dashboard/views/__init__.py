"""Pure folds from rows to what a page says: no Streamlit, no database. Start at ``run.py``."""
