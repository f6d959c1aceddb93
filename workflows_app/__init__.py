"""workflows_app composes: DAGs of requests answered by the gateway."""
