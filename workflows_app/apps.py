from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    name = "workflows_app"
    verbose_name = "Workflows"

    def ready(self) -> None:
        """Tell the guard which addresses are ours."""
        from gateway.asgi import routes

        routes.add(
            {
                "/v1/workflows": routes.Route(routes.POST),
                "/v1/workflows/batch": routes.Route(
                    routes.POST, bodies=(routes.JSON, *routes.JSONL)
                ),
                "/v1/workflows/batches/<id>": routes.Route(routes.GET),
                "/v1/workflows/batches/<id>/cancel": routes.Route(routes.POST),
                "/v1/workflows/runs/<id>": routes.Route(routes.GET),
                "/v1/workflows/runs/<id>/events": routes.Route(routes.GET),
                "/v1/workflows/runs/<id>/cancel": routes.Route(routes.POST),
            }
        )
