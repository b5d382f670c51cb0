"""Energy of an inference of a sub-network in the profile's runtime, gross, read off the machine's own counter."""

from __future__ import annotations

from ..context import SearchContext
from ..resource import Resource, require_measurable, resource_name, resources_of


def build(context: SearchContext) -> Resource:
    """Build the objective for the context's instance; raises MissingContext where no counter can be read here."""
    name = resource_name("energy", context)
    resources = resources_of(name, context)
    require_measurable(resources.energy_refusal, name)
    return Resource(context.space, resources.energy_mj, name, "mJ")
