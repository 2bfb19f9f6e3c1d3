from collections.abc import Sequence
from typing import Any, Literal, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Whatever Ringback takes: a plain function, a partial, rb.bind, rb.compile, a numba.njit function, another library's callback.
_Callback = Any

@final
class Draws:
    @property
    def x(self) -> NDArray[np.float64]: ...
    @property
    def logp(self) -> NDArray[np.float64]: ...
    @property
    def accepted(self) -> NDArray[np.float64]: ...
    @property
    def raised(self) -> NDArray[np.uint64]: ...

@final
class Filtered:
    @property
    def mean(self) -> NDArray[np.float64]: ...
    @property
    def effective(self) -> NDArray[np.float64]: ...
    @property
    def evidence(self) -> float: ...

def metropolis(
    logp: _Callback,
    start: ArrayLike,
    *,
    draws: int = 1000,
    warmup: int = 1000,
    step: float = 1.0,
    chains: int = 4,
    seed: int = 0,
    on_error: Literal["raise", "reject"] = "raise",
    workers: int | None = None,
) -> Draws: ...
def hmc(
    logp: _Callback,
    start: ArrayLike,
    *,
    draws: int = 1000,
    warmup: int = 1000,
    step: float = 0.1,
    leapfrog: int = 10,
    chains: int = 4,
    seed: int = 0,
    on_error: Literal["raise", "reject"] = "raise",
    workers: int | None = None,
) -> Draws: ...
def particle_filter(
    advance: _Callback,
    weigh: _Callback,
    start: ArrayLike,
    observations: ArrayLike,
    *,
    seed: int = 0,
) -> Filtered: ...
def gaussian(mean: Sequence[float], precision: Sequence[float]) -> Any: ...
def gaussian_with_gradient(mean: Sequence[float], precision: Sequence[float]) -> Any: ...

# For benches/per_call.py: nanoseconds a call.
def time_handle(logp: _Callback, x: Sequence[float], n: int) -> float: ...
def time_inlined(mean: Sequence[float], precision: Sequence[float], x: Sequence[float], n: int) -> float: ...
def time_python(logp: Any, x: Sequence[float], n: int) -> float: ...
