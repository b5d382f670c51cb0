"""What ends a `with` block by closing itself: one way for all executables and what holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional, TypeVar

if TYPE_CHECKING:
    from types import TracebackType

Self = TypeVar("Self", bound="Closing")


class Closing:
    """Base of what is a context manager by its ``close``."""

    def close(self) -> None:
        """Release what is held; called again, it does nothing."""
        raise NotImplementedError

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()
