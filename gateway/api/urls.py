"""Addresses of the API; gateway/asgi/routes.py says who may call them."""

from django.urls import path

from gateway.api import (
    completions,
    embeddings,
    messages,
    models,
    operations,
    responses,
    views,
)

urlpatterns = [
    path("v1/chat/completions", views.ChatCompletions.as_view()),
    path("v1/completions", completions.Completions.as_view()),
    path("v1/responses", responses.Responses.as_view()),
    path("v1/embeddings", embeddings.Embeddings.as_view()),
    path("v1/messages", messages.Messages.as_view()),
    path("v1/messages/count_tokens", messages.CountTokens.as_view()),
    path("v1/models", models.Models.as_view()),
    path("v1/models/<path:model>", models.OneModel.as_view()),
    path("v1/feedback", views.FeedbackView.as_view()),
    path("v1/requests/<str:request_id>", views.Explain.as_view()),
    path("v1/openapi.json", operations.OpenApi.as_view()),
    path("v1/backends", operations.Backends.as_view()),
    path("stats", operations.Stats.as_view()),
    path("metrics", operations.Metrics.as_view()),
    path("health", operations.Health.as_view()),
    path("ready", operations.Ready.as_view()),
]
