"""What the server runs: `uvicorn config.asgi:application`, or `manage.py serve`."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.asgi import get_asgi_application  # noqa: E402 - settings come first

django_application = get_asgi_application()

from django.conf import settings  # noqa: E402

from gateway.asgi.application import Application  # noqa: E402
from gateway.asgi.lifespan import Lifespan  # noqa: E402
from gateway.runtime import logs  # noqa: E402
from workflows_app.background import Background  # noqa: E402

logs.configure(settings.LOG_LEVEL)
application = Application(django_application, Lifespan(Background()))
