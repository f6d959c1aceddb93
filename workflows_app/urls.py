"""Addresses of the API of workflows; config/api_urls.py takes them in."""

from django.urls import path

from workflows_app import batch_views, views

urlpatterns = [
    path("v1/workflows", views.Workflows.as_view()),
    path("v1/workflows/batch", batch_views.Batches.as_view()),
    path("v1/workflows/batches/<str:batch_id>", batch_views.OneBatch.as_view()),
    path(
        "v1/workflows/batches/<str:batch_id>/cancel", batch_views.CancelBatch.as_view()
    ),
    path("v1/workflows/runs/<str:run_id>", views.OneRun.as_view()),
    path("v1/workflows/runs/<str:run_id>/events", views.RunEvents.as_view()),
    path("v1/workflows/runs/<str:run_id>/cancel", views.CancelRun.as_view()),
]
