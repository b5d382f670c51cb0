"""Find what is wrong with a latency table and report it; nothing is repaired and nothing is dropped."""

from .finding import Finding, Rows, has_errors
from .profile import lint_profile
from .table import lint_table

__all__ = ["Finding", "Rows", "has_errors", "lint_profile", "lint_table"]
