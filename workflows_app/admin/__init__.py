"""Admin pages of workflows and runs. Django's autodiscover imports this."""

from workflows_app.admin import runs, workflows  # noqa: F401
