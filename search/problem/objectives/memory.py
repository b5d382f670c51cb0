"""Peak memory of a sub-network in the profile's runtime beside the runtime itself, measured in fresh processes."""

from __future__ import annotations

from ..context import SearchContext
from ..resource import Resource, require_measurable, resource_name, resources_of


def build(context: SearchContext) -> Resource:
    """Build the objective for the context's instance; raises MissingContext where it cannot be measured here."""
    name = resource_name("memory", context)
    resources = resources_of(name, context)
    require_measurable(resources.memory_refusal, name)
    return Resource(context.space, resources.memory_mib, name, "MiB")
