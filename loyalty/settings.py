"""Settings."""
from pathlib import Path
import environ
env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "dev"
DEBUG = True
USE_TZ = True
TIME_ZONE = "UTC"
AUTH_USER_MODEL = "stores.User"
ROOT_URLCONF = "loyalty.urls"
INSTALLED_APPS = [
    "unfold", "unfold.contrib.filters",
    "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages", "django.contrib.staticfiles", "django.contrib.postgres",
    "pgtrigger", "rest_framework", "django_filters", "drf_spectacular", "drf_spectacular_sidecar", "axes",
    "loyalty", "loyalty.stores", "loyalty.journal", "loyalty.notices", "loyalty.api", "credits", "points", "orders",
]
DATABASES = {"default": env.db("DATABASE_URL")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [], "APP_DIRS": True, "OPTIONS": {"context_processors": ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth", "django.contrib.messages.context_processors.messages"]}}]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware", "django.contrib.messages.middleware.MessageMiddleware"]
