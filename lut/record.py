"""A record of a file that Gnomon writes: a pydantic model that refuses unknown fields."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A line of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
