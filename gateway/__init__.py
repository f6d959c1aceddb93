"""gateway serves: HTTP in, the pipeline, providers out, the books kept."""
