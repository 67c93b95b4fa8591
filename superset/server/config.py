"""Apache Superset's configuration, read in ITS environment by SUPERSET_CONFIG_PATH. What is a home's comes from variables."""

import os

SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = os.environ["CONTROLROOM_SUPERSET_METADATA_URL"]

# One back end and prefix for both, and keys in the metadata: else /cachekey/invalidate finds nothing to clear.
CACHE_CONFIG = {
    "CACHE_TYPE": "FileSystemCache",
    "CACHE_DIR": os.path.join(os.environ["SUPERSET_HOME"], "cache"),
    "CACHE_THRESHOLD": 5000,
    "CACHE_DEFAULT_TIMEOUT": 3600,
    "CACHE_KEY_PREFIX": "controlroom_",
}
DATA_CACHE_CONFIG = CACHE_CONFIG
FILTER_STATE_CACHE_CONFIG = CACHE_CONFIG
EXPLORE_FORM_DATA_CACHE_CONFIG = CACHE_CONFIG
STORE_CACHE_KEYS_IN_METADATA_DB = True

FEATURE_FLAGS = {
    # Without it SQL Lab shows what the row-level rules hide.
    "RLS_IN_SQLLAB": True,
    # A metric or a filter may not hold a query of its own, which no rule would reach.
    "ALLOW_ADHOC_SUBQUERY": False,
    # Templates run in the server; nothing of ours needs them.
    "ENABLE_TEMPLATE_PROCESSING": False,
    # Guest tokens fail open.
    "EMBEDDED_SUPERSET": False,
    "DRILL_TO_DETAIL": True,
    "DRILL_BY": True,
    "THUMBNAILS": False,
}
PUBLIC_ROLE_LIKE = None
GUEST_ROLE_NAME = "controlroom nobody"
AUTH_ROLE_PUBLIC = "Public"
AUTH_USER_REGISTRATION = False
WTF_CSRF_ENABLED = True
ENABLE_CORS = False
# The browser speaks to us alone.
ENABLE_UI_THEME_ADMINISTRATION = False
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = os.environ.get("CONTROLROOM_SUPERSET_HTTPS") == "1"
APP_NAME = "Lakehouse Control Room"
SUPERSET_WEBSERVER_TIMEOUT = 60
ROW_LIMIT = 10000
SQL_MAX_ROW = 100000
