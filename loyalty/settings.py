"""The one settings file. Everything that differs between installations comes from the environment.

A value stands there, or in a file that it names: ``SECRET_KEY`` in that of ``SECRET_KEY_FILE``.
``LOYALTY_ENV`` says which kind this is:

- ``local`` (when unset): this machine only. It answers to localhost alone; what is not set is the embedded servers
  under ``.local/``.
- ``test``: as local, with cheap password hashes and static files straight from their sources.
- ``production``: every name of ``REQUIRED_IN_PRODUCTION`` must be set, and cookies and redirects insist on TLS.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key
from redis.backoff import NoBackoff
from redis.retry import Retry
from whitenoise.compress import Compressor

from loyalty.api.framework import DESCRIPTION, FRAMEWORK
from loyalty.backoffice.theme import THEME
from loyalty.core.cache import cache_address
from loyalty.core.logs import to_standard_output
from loyalty.database.connecting import database
from loyalty.database.time_limits import LIMITS
from loyalty.embedded.layout import WEB_ROLE, layout_for, layout_in
from loyalty.environment import Environment
from loyalty.languages.spoken import LANGUAGES as LANGUAGES
from loyalty.languages.spoken import SOURCE

BASE_DIR = Path(__file__).resolve().parent.parent

REQUIRED_IN_PRODUCTION = (
    "SECRET_KEY",
    "CREDENTIALS_KEYS",
    "ALLOWED_HOSTS",
    "DATABASE_URL",
    "REDIS_URL",
    "EMAIL_URL",
    "DEFAULT_FROM_EMAIL",
)

env = Environment()
# What a local run keeps: under the project, or in the folder that is named.
LAYOUT = layout_in(Path(home)) if (home := env.str("LOYALTY_LOCAL", default="")) else layout_for(BASE_DIR)
ENVIRONMENT: str = env.str("LOYALTY_ENV", default="local")
if ENVIRONMENT not in {"local", "test", "production"}:
    unknown = f"LOYALTY_ENV is {ENVIRONMENT!r}; it must be local, test or production."
    raise ImproperlyConfigured(unknown)
# What kind of process this is; PostgreSQL gives each its own time (loyalty.database.time_limits).
PROCESS: str = env.str("LOYALTY_PROCESS", default="web")
if PROCESS not in LIMITS:
    unknown = f"LOYALTY_PROCESS is {PROCESS!r}; it must be {' or '.join(LIMITS)}."
    raise ImproperlyConfigured(unknown)
PRODUCTION = ENVIRONMENT == "production"
TESTING = ENVIRONMENT == "test"
if PRODUCTION and (missing := [name for name in REQUIRED_IN_PRODUCTION if not env.str(name, default="")]):
    unset = f"Not set in the environment, and needed in production: {', '.join(missing)}."
    raise ImproperlyConfigured(unset)


def local_secret_key() -> str:
    """The key that ``quickstart`` made for this machine; a passing one where nothing is kept."""
    kept = LAYOUT.secret_key_file
    return kept.read_text().strip() if kept.exists() else get_random_secret_key()


def mail_transport() -> dict[str, Any]:
    """How mail is sent, as Django wants it; the reader of addresses drops the slash that a folder begins with."""
    transport: dict[str, Any] = env.email_url("EMAIL_URL", default=f"filemail://{LAYOUT.mail}")
    folder = transport.get("EMAIL_FILE_PATH")
    return transport | {"EMAIL_FILE_PATH": f"/{folder.lstrip('/')}"} if folder else transport


def broker_address(url: str) -> str:
    """A Redis address as Celery writes it: a socket has a scheme of its own there."""
    return f"redis+socket://{url.removeprefix('unix://')}" if url.startswith("unix://") else url


# --- What this is, and whom it answers

SECRET_KEY: str = env.str("SECRET_KEY") if PRODUCTION else env.str("SECRET_KEY", default="") or local_secret_key()
# Long random texts that platforms' credentials are encrypted with: the first encrypts, every one decrypts.
CREDENTIALS_KEYS: list[str] = env.list("CREDENTIALS_KEYS", default=[SECRET_KEY])
DEBUG: bool = not PRODUCTION and env.bool("DEBUG", default=False)
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
ROOT_URLCONF = "loyalty.urls"
WSGI_APPLICATION = "loyalty.wsgi.application"

INSTALLED_APPS = [
    # Before the theme, whose templates some of ours extend.
    "loyalty",
    # Not "unfold": that would put its own admin site in the place of ours.
    "unfold.apps.BasicAppConfig",
    "loyalty.backoffice.apps.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "pgtrigger",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "loyalty.stores",
    "loyalty.accounts",
    "loyalty.journal",
    "loyalty.notices",
    "loyalty.platforms",
    "loyalty.outbox",
    "loyalty.webhooks",
    "loyalty.api",
    "loyalty.backoffice.apps.PagesConfig",
    "credits",
    "points",
    "orders",
]

MIDDLEWARE = [
    "loyalty.web.request_ids.RequestIdMiddleware",
    "loyalty.monitoring.probes.ProbesMiddleware",
    "loyalty.monitoring.count_requests.CountRequests",
    "loyalty.partners.request_limits.RequestsCallNobody",
    "loyalty.backoffice.middleware.NoStoreMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "loyalty.web.security.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "loyalty.backoffice.middleware.ActiveStoreMiddleware",
    "loyalty.web.languages.LanguageMiddleware",
    "loyalty.web.isolation.IsolationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "loyalty.accounts.signing_in.second_factor.SecondFactorMiddleware",
    "loyalty.backoffice.unavailable.UnavailableMiddleware",
]

_CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]
_OPTIONS = {"context_processors": _CONTEXT_PROCESSORS}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": _OPTIONS}]

# What is typed has the direction of its own script.
FORM_RENDERER = "loyalty.web.form_renderer.AsWritten"

# A proxy in front ends TLS and says from where requests come.
BEHIND_TLS_PROXY: bool = env.bool("BEHIND_TLS_PROXY", default=False)

# --- Data

DATABASES = {"default": database(env, LAYOUT.database_url(role=WEB_ROLE), PROCESS)}
# Who gets the rights that the models declare: what the web, the worker and beat connect as.
DATABASE_WEB_ROLE: str = env.str("DATABASE_WEB_ROLE", default=WEB_ROLE)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL: str = env.str("REDIS_URL", default=LAYOUT.redis_url())
CACHES = {
    "default": {
        "BACKEND": "loyalty.core.cache.ForgivingRedisCache",
        "LOCATION": cache_address(REDIS_URL, env.int("CACHE_DATABASE", default=1)),
        "KEY_PREFIX": "loyalty",
        "TIMEOUT": 60,
        # A request waits for the cache for half a second at most, and never twice.
        "OPTIONS": {
            "socket_connect_timeout": 0.5,
            "socket_timeout": 0.5,
            "retry": Retry(NoBackoff(), 0),
        },
    },
}

# --- Signing in

AUTH_USER_MODEL = "stores.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# How many proxies of ours stand in front, each adding whom it saw to X-Forwarded-For; what else it holds is hearsay.
TRUSTED_PROXIES: int = env.int("TRUSTED_PROXIES", default=int(BEHIND_TLS_PROXY))
# A link that was sent to choose a password works for so long.
PASSWORD_RESET_TIMEOUT = int(timedelta(hours=1).total_seconds())

ACCOUNT_ADAPTER = "loyalty.accounts.signing_in.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_METHODS = ["password", "mfa"]
# The library counts in the cache, which may be gone; loyalty.accounts.signing_in.rate_limits counts in the database.
ACCOUNT_RATE_LIMITS = False
MFA_RATE_LIMITS = False
MFA_ADAPTER = "loyalty.accounts.signing_in.adapter.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "loyalty.accounts.signing_in.forms.CodeForm",
    "reauthenticate": "loyalty.accounts.signing_in.forms.CodeAgainForm",
    "activate_totp": "loyalty.accounts.signing_in.forms.SetUpAppForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# Of whom a store asks a second factor is the store's choice; of those who run the platform, this installation's.
OPERATORS_NEED_SECOND_FACTOR: bool = env.bool("OPERATORS_NEED_SECOND_FACTOR", default=PRODUCTION)
MFA_TOTP_ISSUER = "Loyalty Back-Office"
# Phones' clocks go wrong by a few seconds.
MFA_TOTP_TOLERANCE = 1
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION

# Signing in with a company's own accounts (OpenID Connect), when its server is named.
OIDC_SERVER_URL: str = env.str("OIDC_SERVER_URL", default="")
OIDC_APP = {
    "provider_id": "company",
    "name": env.str("OIDC_NAME", default="") or "your company's account",
    "client_id": env.str("OIDC_CLIENT_ID", default=""),
    "secret": env.str("OIDC_CLIENT_SECRET", default=""),
    "settings": {"server_url": OIDC_SERVER_URL, "oauth_pkce_enabled": True},
}
SOCIALACCOUNT_ADAPTER = "loyalty.accounts.signing_in.adapter.CompanyAccountAdapter"
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [OIDC_APP] if OIDC_SERVER_URL else []}}
# An address, whoever says that it is verified, opens no account: its owner connects the two while signed in.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False

# --- Sessions, cookies, TLS

SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
SESSION_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SECURE_SSL_REDIRECT: bool = env.bool("SECURE_SSL_REDIRECT", default=PRODUCTION)
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Anybody can send this header, so it counts only where a proxy is known to set it.
if BEHIND_TLS_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- Calls to addresses that stores have chosen: never to this machine, except while developing and testing

OUTGOING_TO_LOCALHOST: bool = env.bool("OUTGOING_TO_LOCALHOST", default=not PRODUCTION)
# Except in tests, the database says what time it is, and hosts that have not answered of late are left alone.
CLOCK_OF_DATABASE = PARTNERS_REST = not TESTING
# How long a shop platform may take to answer.
PLATFORM_TIMEOUT_SECONDS: float = env.float("PLATFORM_TIMEOUT_SECONDS", default=15.0)

# --- Language and time: stores bring their own time zones and locales

LANGUAGE_CODE = SOURCE
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

# --- Static files

# Not relative: Django would put a store's mount point before it.
STATIC_URL = "/static/"
STATIC_ROOT = LAYOUT.home / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if TESTING or DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# Maps of sources are half of all that could be compressed, and only developers' tools ask for them.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = TESTING or DEBUG

# --- The back-office

UNFOLD = THEME | {"DASHBOARD_CALLBACK": "orders.admin.desk.dashboard.dashboard"}

# --- E-mail: smtp+tls://user:password@host:587, consolemail:// or filemail:///folder

EMAIL_TIMEOUT = 10
PUBLIC_URL: str = env.str("PUBLIC_URL", default="")  # what links in letters to customers begin with
DEFAULT_FROM_EMAIL: str = env.str("DEFAULT_FROM_EMAIL", default="Loyalty Back-Office <no-reply@localhost>")
vars().update(mail_transport(), SERVER_EMAIL=DEFAULT_FROM_EMAIL)

# --- Jobs

CELERY_BROKER_URL = broker_address(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A broker that has no memory left, or is loading, says so as an error of the command: the worker asks again, too.
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # A task that no worker has acknowledged within this many seconds is given to another one.
    "visibility_timeout": 15 * 60,
    # Publishing from a request gives up at once when Redis is gone; the sweeps find the work later.
    "socket_connect_timeout": 0.5,
    "socket_timeout": 5,
    "max_retries": 0,
    "interval_start": 0,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
# What a job did is in the database, so nothing is kept of its return value.
CELERY_TASK_IGNORE_RESULT = True
# A task counts as done when it is done: a killed worker's task runs again, so every task can be repeated.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TIMEZONE = "UTC"
# For how many days a table's rows are kept, where that is not what its model says (loyalty.database.retention).
RETENTION_DAYS: dict[str, str] = env.dict("RETENTION_DAYS", default={})

# --- REST

API_REQUESTS_PER_MINUTE: int = env.int("API_REQUESTS_PER_MINUTE", default=600)  # of one API key
REST_FRAMEWORK = FRAMEWORK
SPECTACULAR_SETTINGS = DESCRIPTION

# --- Who may read metrics, and where errors and traces are sent: nobody and nowhere while unset (docs/monitoring.md)

METRICS_TOKEN: str = env.str("METRICS_TOKEN", default="")
SENTRY_DSN: str = env.str("SENTRY_DSN", default="")
OTEL_EXPORTER_OTLP_ENDPOINT: str = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")

# --- Logs: to standard output, without personal data

LOGGING = to_standard_output(level=env.str("LOG_LEVEL", default="INFO"), form=env.str("LOG_FORMAT", default="plain"))
