"""One thin script a page: asks ``data``, folds with ``views``, draws with ``components``, acts with ``actions``."""
