"""What a private training run spends: ε at δ of the subsampled Gaussian mechanism, composed over its steps.

Privacy loss distributions (Koskela et al. 2020; Doroshenko et al. 2022) as in dp-accounting: tight to the discretisation, and rounded so
that ε is never understated. Neighbours differ in one record, added or removed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Takes two seconds to import, which only private training is to pay.
    import dp_accounting

NOISIEST = 64.0
"""Noise multiplier beyond which nothing would be learnt: a budget that asks for more is refused."""

TOLERANCE = 0.005
"""Of the noise multiplier; calibration errs on the side of more noise."""


@dataclass(frozen=True, slots=True)
class Spending:
    """`noise` is the standard deviation of the noise in units of the clipping norm, `rate` the probability of a record to be in a step."""

    noise: float
    rate: float
    delta: float

    def event(self, steps: int) -> dp_accounting.DpEvent:
        import dp_accounting

        each = dp_accounting.PoissonSampledDpEvent(self.rate, dp_accounting.GaussianDpEvent(self.noise))
        return dp_accounting.SelfComposedDpEvent(each, steps)

    def epsilon(self, steps: int) -> float:
        """ε after so many steps; 0 after none."""
        return _epsilon(self, steps) if steps else 0.0


@lru_cache(256)
def _epsilon(spending: Spending, steps: int) -> float:
    from dp_accounting import pld

    accountant = pld.PLDAccountant(value_discretization_interval=1e-3)
    return float(accountant.compose(spending.event(steps)).get_epsilon(spending.delta))


def calibrated(epsilon: float, delta: float, rate: float, steps: int) -> Spending | None:
    """The least noise with which `steps` steps stay within (ε, δ), to TOLERANCE above; None where NOISIEST would not do."""
    high = Spending(1.0, rate, delta)
    while high.epsilon(steps) > epsilon:
        if high.noise >= NOISIEST:
            return None
        high = Spending(2 * high.noise, rate, delta)
    low = high.noise / 2 if high.noise > 1 else 0.2
    while high.noise - low > TOLERANCE:
        middle = Spending((low + high.noise) / 2, rate, delta)
        if middle.epsilon(steps) > epsilon:
            low = middle.noise
        else:
            high = middle
    return high
