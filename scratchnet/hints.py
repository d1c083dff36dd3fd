"""Types that the public face speaks of, for editors and type checkers."""

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

# A name, an object of the library, what `serialize` gave, or nothing.
ActivationLike: TypeAlias = str | Callable[..., Any] | dict[str, Any] | None
InitializerLike: TypeAlias = str | Callable[..., Any] | dict[str, Any] | None
RegularizerLike: TypeAlias = str | Callable[..., Any] | dict[str, Any] | None
ConstraintLike: TypeAlias = str | Callable[..., Any] | dict[str, Any] | None
# A number, a schedule, or a function without arguments.
LearningRate: TypeAlias = float | Callable[..., Any] | dict[str, Any]

IntOrInts: TypeAlias = int | Sequence[int]  # one for all axes, or one for each
PathLike: TypeAlias = str | os.PathLike[str]
Seed: TypeAlias = Any  # an integer, a SeedGenerator, or None
