"""Sending to providers: one module per wire format, one place that opens sockets."""

from types import ModuleType

from gateway.providers import anthropic, openai

WIRE_FORMATS: dict[str, ModuleType] = {"openai": openai, "anthropic": anthropic}
