"""Every address of the API, of all apps; the lean handler resolves these."""

from gateway.api import urls as gateway_urls
from workflows_app import urls as workflow_urls

urlpatterns = [*gateway_urls.urlpatterns, *workflow_urls.urlpatterns]
