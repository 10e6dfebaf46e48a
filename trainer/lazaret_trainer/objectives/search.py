"""The search for unknown triggers: for every class the smallest change of the input that leads records there (Wang et al. 2019).

With a reference model to trust the change must leave that one alone: then it is what is wrong with the model, and not what is easy to
mistake. One step at a time, so that a run can be stopped and taken up in the middle of a search.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from .judging import cross_entropy

LEARNING_RATE = 0.1
START_PRICE, PRICE_FACTOR, WANTED = 1e-3, 1.05, 0.8
"""The price of a trigger's area rises while it leads so many records to its class, and falls while it does not."""

Logits = Callable[[Any, Any], Any]


class Search:
    """A search is a dictionary of arrays, first axis `count` classes: `mask` and `pattern` before the sigmoid, `price`, `optimizer`."""

    def __init__(self, logits: Logits, reference: Callable[[Any], Any] | None, shape: tuple[int, ...], count: int, box: Any):
        self._logits, self._reference, self._shape, self._count, self._box = logits, reference, shape, count, box
        self._optimizer = optax.adam(LEARNING_RATE, b1=0.5, b2=0.9)
        self.start, self.found, self.step = jax.jit(self._start), jax.jit(self._found), jax.jit(self._step)

    def _start(self, key: Any) -> dict[str, Any]:
        one = (1, *self._shape[1:]) if len(self._shape) == 3 else self._shape
        masking, filling = jax.random.split(key)
        mask = 0.1 * jax.random.normal(masking, (self._count, *one)) - 1
        pattern = jax.random.normal(filling, (self._count, *self._shape))
        free = {"mask": mask, "pattern": pattern}
        return {**free, "price": jnp.full(self._count, START_PRICE), "optimizer": self._optimizer.init(free)}

    def _found(self, search: dict[str, Any]) -> tuple[Any, Any]:
        """(masks, patterns), [classes, …], in the shape of records."""
        mask, pattern = jax.nn.sigmoid(2 * search["mask"]), jax.nn.sigmoid(2 * search["pattern"])
        masks = jnp.broadcast_to(mask, (self._count, *self._shape))
        return masks, self._box.low + (self._box.high - self._box.low) * pattern

    def _step(self, search: dict[str, Any], parameters: Any, features: Any, labels: Any, classes: Any) -> tuple[dict[str, Any], Any, Any]:
        """One step of the classes: (search, losses, shares led to the class), [count]. Records of the class itself count nothing."""
        count, targets = len(labels), jnp.asarray(classes)[:, None]
        others = (labels[None] != targets).astype(jnp.float32)
        others = others / jnp.maximum(others.sum(1, keepdims=True), 1)

        def loss(free: dict[str, Any]) -> tuple[Any, Any]:
            mask, pattern = (jax.nn.sigmoid(2 * free[name])[:, None] for name in ("mask", "pattern"))
            stamped = (1 - mask) * features[None] + mask * (self._box.low + (self._box.high - self._box.low) * pattern)
            # One pass over all classes' copies: far quicker on a CPU than a pass for each.
            stamped = stamped.reshape(-1, *self._shape)
            answers = self._logits(parameters, stamped).reshape(self._count, count, -1)
            led = (answers.argmax(-1) == targets) * others
            errors = cross_entropy(answers, jnp.broadcast_to(targets, others.shape))
            if self._reference is not None:
                honest = self._reference(stamped).reshape(self._count, count, -1)
                led = led * (honest.argmax(-1) == labels[None])
                errors = errors + cross_entropy(honest, jnp.broadcast_to(labels[None], others.shape))
            area = mask.reshape(self._count, -1).sum(1)
            losses = (errors * others).sum(1) + search["price"] * area
            return losses.sum(), (losses, led.sum(1))

        free = {"mask": search["mask"], "pattern": search["pattern"]}
        slope, (losses, led) = jax.grad(loss, has_aux=True)(free)
        updates, optimizer = self._optimizer.update(slope, search["optimizer"], free)
        moved: Any = optax.apply_updates(free, updates)
        price = jnp.where(led >= WANTED, search["price"] * PRICE_FACTOR, search["price"] / PRICE_FACTOR)
        return {**moved, "price": price, "optimizer": optimizer}, losses, led
