"""Settings of a deployment, each from the environment; docs/settings.md explains them.

What an operator tunes while running (tiers, prices, thresholds) is a row in the
admin, not a setting.
"""

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

from config.data_dir import generated_secret, private_dir

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


def positive(name: str, default: int) -> int:
    """A whole number above zero, or a sentence that stops the start."""
    try:
        value = env.int(name, default=default)
    except ValueError:
        value = 0
    if value <= 0:
        raise ImproperlyConfigured(f"{name} must be a whole number above 0.")
    return value


def choice(name: str, options: tuple[str, ...]) -> str:
    """One of `options`, the first being the default."""
    value = env.str(name, default=options[0])
    if value not in options:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(options)}.")
    return value


def switch(name: str) -> bool:
    """Off unless it is switched on; a slip of the pen must not mean off."""
    value = env.str(name, default="").lower()
    if value not in ("", *env.BOOLEAN_TRUE_STRINGS, "false", "off", "no", "n", "0"):
        raise ImproperlyConfigured(f"{name} must be true or false.")
    return value in env.BOOLEAN_TRUE_STRINGS


def database(default: str) -> dict[str, Any]:
    """What DATABASE_URL stands for. It may hold a password, so nobody repeats it."""
    url = env.str("DATABASE_URL", default="") or default
    try:
        if url.startswith(("postgres://", "postgresql://", "sqlite:///")):
            return dict(env.db_url_config(url))
    except ValueError:
        pass
    raise ImproperlyConfigured(
        "DATABASE_URL must be postgres://USER:PASSWORD@HOST:PORT/NAME or sqlite:///FILE."
    )


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """What goes wrong in the data folder, as a sentence that stops the start."""
    try:
        yield
    except OSError as error:
        raise ImproperlyConfigured(
            f"The data folder can't be used: {error.filename or path}: "
            f"{error.strerror}. LLM_ROUTER_DATA_DIR must name a folder that can be "
            "made and written."
        ) from error


def webhook_key(secret: str) -> bytes:
    """What a secret stands for, as libraries of Standard Webhooks read it."""
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        return b""


# --- Where things are kept ------------------------------------------------------
os.umask(0o077)  # database, journal and secrets are the owner's alone
DATA_DIR = Path(
    env.str("LLM_ROUTER_DATA_DIR", default="") or BASE_DIR / "var"
).resolve()
STATIC_ROOT = DATA_DIR / "static"
with storing(DATA_DIR):
    private_dir(STATIC_ROOT.parent)
    private_dir(STATIC_ROOT)
JOURNAL_DIR = DATA_DIR / "journal"
JOURNAL_MAX_BYTES = positive("LLM_ROUTER_JOURNAL_MAX_BYTES", 1 << 30)
ON_STORAGE_FULL = choice("LLM_ROUTER_ON_STORAGE_FULL", ("refuse", "serve"))

# --- Shared by several workers ----------------------------------------------------
REDIS_URL: str | None = env.str("REDIS_URL", default="") or None
REDIS_TIMEOUT_MS = positive("LLM_ROUTER_REDIS_TIMEOUT_MS", 100)
if REDIS_URL and not REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
    raise ImproperlyConfigured(
        "REDIS_URL must begin with redis://, rediss:// or unix://."
    )

# --- Secrets --------------------------------------------------------------------
with storing(DATA_DIR):
    SECRET_KEY = env.str("LLM_ROUTER_SECRET_KEY", default="") or generated_secret(
        DATA_DIR / "secret.key"
    )
    # The first key encrypts, all of them decrypt: put a new one in front to rotate.
    ENCRYPTION_KEYS: list[str] = env.list("LLM_ROUTER_ENCRYPTION_KEYS", default=[]) or [
        generated_secret(DATA_DIR / "encryption.key")
    ]
if len(SECRET_KEY) < 32 or "insecure" in SECRET_KEY or "change" in SECRET_KEY.lower():
    raise ImproperlyConfigured(
        "LLM_ROUTER_SECRET_KEY is too short or a placeholder. Give at least 32 random "
        "characters, or leave it unset: one is generated in the data folder."
    )

# --- Webhooks of workflows ----------------------------------------------------------
WEBHOOK_HOSTS: list[str] = env.list("LLM_ROUTER_WEBHOOK_HOSTS", default=[])
WEBHOOK_KEY = webhook_key(env.str("LLM_ROUTER_WEBHOOK_SECRET", default=""))
if WEBHOOK_HOSTS and len(WEBHOOK_KEY) < 24:
    raise ImproperlyConfigured(
        "LLM_ROUTER_WEBHOOK_HOSTS needs LLM_ROUTER_WEBHOOK_SECRET, the base64 of at "
        "least 24 random bytes (openssl rand -base64 32): webhooks are signed with it."
    )

# --- Serving --------------------------------------------------------------------
DEBUG = switch("LLM_ROUTER_DEBUG")
ADDR = env.str("LLM_ROUTER_ADDR", default="127.0.0.1:8080")  # `serve` sets it
ALLOWED_HOSTS: list[str] = env.list(
    "LLM_ROUTER_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"]
)
WORKERS = positive("LLM_ROUTER_WORKERS", 1)  # `serve` sets it
HTTPS = switch("LLM_ROUTER_HTTPS")
DRAIN_SECONDS = positive("LLM_ROUTER_DRAIN_SECONDS", 30)
MAX_BODY_BYTES = positive("LLM_ROUTER_MAX_BODY_BYTES", 32 << 20)
MAX_IN_FLIGHT = positive("LLM_ROUTER_MAX_IN_FLIGHT", 1000)
MAX_HELD_BYTES = positive("LLM_ROUTER_MAX_HELD_BYTES", 256 << 20)
PRIVATE_UPSTREAMS = choice("LLM_ROUTER_PRIVATE_UPSTREAMS", ("allow", "deny"))
LOG_LEVEL = choice(
    "LLM_ROUTER_LOG_LEVEL", ("INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL")
)

# --- Django ---------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "simple_history",
    "routing",
    "gateway",
    "workflows_app",
]
# Only the admin passes through these; /v1 has its own lean path (gateway/asgi).
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "gateway.admin.middleware.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
API_URLCONF = "config.api_urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {"default": database(f"sqlite:///{DATA_DIR}/db.sqlite3")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE takes the write lock at BEGIN: a deferred upgrade fails at once
    # with SQLITE_BUSY_SNAPSHOT instead of waiting for its turn.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
    }
else:
    # A server that a network swallowed is noticed in seconds; else in minutes or never.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 10,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
        **DATABASES["default"].get("OPTIONS", {}),  # those of the address
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = "config.formats"
CSRF_FAILURE_VIEW = "gateway.admin.stale_form.stale_form"
LOGIN_REDIRECT_URL = "admin:index"  # for who comes to /admin/login/ by a bookmark
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # nobody has to run collectstatic

if HTTPS:
    # TLS ends at a proxy, which says so in this header (docs/operations.md).
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
# Whether HSTS covers other hosts of the domain is not this host's to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

REST_FRAMEWORK: dict[str, object] = {
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_SCHEMA_CLASS": "gateway.api.openapi.Described",
}
SPECTACULAR_SETTINGS: dict[str, object] = {
    "TITLE": "llm-router",
    "DESCRIPTION": "OpenAI's and Anthropic's APIs, each call as cheap as it can be.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
}
LOGGING_CONFIG = None  # gateway.runtime.logs configures structlog and stdlib alike
UNFOLD = {
    "SITE_TITLE": "llm-router",
    "SITE_HEADER": "llm-router",
    "SITE_SYMBOL": "alt_route",
    "SITE_FAVICONS": [{"rel": "icon", "href": "data:,"}],  # else each visit is a 404
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "LOGIN": {"form": "gateway.login.LoginForm"},
    "STYLES": [lambda request: static("gateway/admin.css")],
    "SCRIPTS": [lambda request: static("gateway/forms.js")],
    "DASHBOARD_CALLBACK": "gateway.admin.dashboard.page.add_dashboard",
}
