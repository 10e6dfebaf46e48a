"""RNN, GRU and LSTM in all directions, layouts and lengths, as the ONNX standard's equations have them.

Shapes within: steps T, batch B, input I, hidden H, directions D, gates G. The product with the input is made for all steps at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import lax

from .registry import Array, Call, operator

Activation = Callable[[Array], Array]
Cell = Callable[[tuple[Array, ...], Array], tuple[Array, ...]]
"""(states [B, H], the input's share of the gates [B, G·H]) → next states; the first one is the output."""


@dataclass(frozen=True, slots=True)
class Direction:
    """The weights of one direction: W [G·H, I], R [G·H, H], biases [G·H] each, peepholes [3·H]."""

    recurrent: Array
    input_bias: Array
    recurrent_bias: Array
    peephole: Array
    activations: Sequence[Activation]
    clip: float | None

    def gate(self, position: int, before: Array) -> Array:
        bounded = before if self.clip is None else jnp.clip(before, -self.clip, self.clip)
        return self.activations[position](bounded)


@operator("RNN")
def simple(call: Call, x: Array, w: Array, r: Array, b: Array = None, lengths: Array = None, h: Array = None) -> Array:
    def cell(weights: Direction) -> Cell:
        return lambda states, share: (weights.gate(0, share + states[0] @ weights.recurrent.T + weights.recurrent_bias),)

    return _recurrent(call, cell, ["Tanh"], x, w, r, b, lengths, (h,))


@operator("GRU")
def gated(call: Call, x: Array, w: Array, r: Array, b: Array = None, lengths: Array = None, h: Array = None) -> Array:
    """Gates in the order z, r, h."""
    reset_after = call.get("linear_before_reset", 0)

    def cell(weights: Direction) -> Cell:
        split = 2 * weights.recurrent.shape[1]

        def step(states: tuple[Array, ...], share: Array) -> tuple[Array, ...]:
            (hidden,) = states
            both = share[:, :split] + hidden @ weights.recurrent[:split].T + weights.recurrent_bias[:split]
            update, reset = jnp.split(weights.gate(0, both), 2, axis=1)
            kernel, bias = weights.recurrent[split:].T, weights.recurrent_bias[split:]
            again = reset * (hidden @ kernel + bias) if reset_after else (reset * hidden) @ kernel + bias
            candidate = weights.gate(1, share[:, split:] + again)
            return ((1 - update) * candidate + update * hidden,)

        return step

    return _recurrent(call, cell, ["Sigmoid", "Tanh"], x, w, r, b, lengths, (h,))


@operator("LSTM")
def long_short(
    call: Call,
    x: Array,
    w: Array,
    r: Array,
    b: Array = None,
    lengths: Array = None,
    h: Array = None,
    c: Array = None,
    p: Array = None,
) -> Array:
    """Gates in the order i, o, f, c; peepholes in the order i, o, f."""

    def cell(weights: Direction) -> Cell:
        to_input, to_output, to_forget = jnp.split(weights.peephole, 3)

        def step(states: tuple[Array, ...], share: Array) -> tuple[Array, ...]:
            hidden, memory = states
            i, o, f, g = jnp.split(share + hidden @ weights.recurrent.T + weights.recurrent_bias, 4, axis=1)
            taken = weights.gate(0, i + to_input * memory)
            kept = 1 - taken if call.get("input_forget", 0) else weights.gate(0, f + to_forget * memory)
            fresh = kept * memory + taken * weights.gate(1, g)
            return weights.gate(0, o + to_output * fresh) * weights.activations[2](fresh), fresh

        return step

    return _recurrent(call, cell, ["Sigmoid", "Tanh", "Tanh"], x, w, r, b, lengths, (h, c), p)


def _recurrent(
    call: Call,
    cell: Callable[[Direction], Cell],
    defaults: list[str],
    x: Array,
    w: Array,
    r: Array,
    b: Array,
    lengths: Array,
    starts: tuple[Array, ...],
    p: Array = None,
) -> tuple[Array, ...]:
    batch_first = call.get("layout", 0)
    x = jnp.swapaxes(x, 0, 1) if batch_first else jnp.asarray(x)
    directions, gates, hidden = w.shape[0], w.shape[1], r.shape[2]
    activations = _activations(call, defaults * directions)
    biases = jnp.zeros((directions, 2 * gates), x.dtype) if b is None else b
    peepholes = jnp.zeros((directions, 3 * hidden), x.dtype) if p is None else p
    outputs, finals = [], []
    for d in range(directions):
        own = activations[d * len(defaults) : (d + 1) * len(defaults)]
        weights = Direction(r[d], biases[d, :gates], biases[d, gates:], peepholes[d], own, call.get("clip"))
        shares = x @ w[d].T + weights.input_bias
        states = tuple(_start(start, d, (x.shape[1], hidden), x, batch_first) for start in starts)
        backwards = d == 1 or call.get("direction", "forward") == "reverse"
        y, final = _scanned(cell(weights), shares, states, lengths, backwards)
        outputs.append(y)
        finals.append(final)
    whole = jnp.stack(outputs, axis=1)  # [T, D, B, H]
    last = [jnp.stack(parts) for parts in zip(*finals, strict=True)]  # [D, B, H] each
    if batch_first:
        whole, last = whole.transpose(2, 0, 1, 3), [jnp.swapaxes(part, 0, 1) for part in last]
    return (whole, *last)


def _start(start: Array, direction: int, shape: tuple[int, int], x: Array, batch_first: int) -> Array:
    if start is None:
        return jnp.zeros(shape, x.dtype)
    return jnp.asarray(start[:, direction] if batch_first else start[direction])


def _scanned(cell: Cell, shares: Array, states: tuple[Array, ...], lengths: Array, backwards: bool) -> tuple[Array, tuple[Array, ...]]:
    """Outputs [T, B, H] and final states. A sequence that has ended keeps its states and answers with zeros.

    A sequence is turned within its length.
    """
    steps, batch = shares.shape[:2]
    ends = jnp.full(batch, steps, jnp.int32) if lengths is None else jnp.asarray(lengths, jnp.int32)
    time = jnp.arange(steps, dtype=jnp.int32)
    turned = jnp.where(time[:, None] < ends, ends - 1 - time[:, None], time[:, None])[..., None]
    shares = jnp.take_along_axis(shares, turned, axis=0) if backwards else shares

    def step(carry: tuple[Array, ...], now: tuple[Array, Array]) -> tuple[tuple[Array, ...], Array]:
        share, moment = now
        alive = (moment < ends)[:, None]
        fresh = cell(carry, share)
        return tuple(jnp.where(alive, new, old) for new, old in zip(fresh, carry, strict=True)), jnp.where(alive, fresh[0], 0)

    final, outputs = lax.scan(step, states, (shares, time))
    return jnp.take_along_axis(outputs, turned, axis=0) if backwards else outputs, final


# Name → (the function of x, alpha and beta; the defaults of alpha and beta, None where it has no such number).
ACTIVATIONS: dict[str, tuple[Callable[[Array, float, float], Array], float | None, float | None]] = {
    "affine": (lambda x, alpha, beta: alpha * x + beta, 1.0, 0.0),
    "elu": (lambda x, alpha, beta: jax.nn.elu(x, alpha), 1.0, None),
    "hardsigmoid": (lambda x, alpha, beta: jnp.clip(alpha * x + beta, 0, 1), 0.2, 0.5),
    "leakyrelu": (lambda x, alpha, beta: jnp.where(x >= 0, x, alpha * x), 0.01, None),
    "relu": (lambda x, alpha, beta: jnp.maximum(x, 0), None, None),
    "scaledtanh": (lambda x, alpha, beta: alpha * jnp.tanh(beta * x), 1.0, 1.0),
    "sigmoid": (lambda x, alpha, beta: jax.nn.sigmoid(x), None, None),
    "softplus": (lambda x, alpha, beta: jax.nn.softplus(x), None, None),
    "softsign": (lambda x, alpha, beta: jax.nn.soft_sign(x), None, None),
    "tanh": (lambda x, alpha, beta: jnp.tanh(x), None, None),
    "thresholdedrelu": (lambda x, alpha, beta: jnp.where(x >= alpha, x, 0), 1.0, None),
}


def _activations(call: Call, defaults: list[str]) -> list[Activation]:
    """Alphas and betas are taken from their lists in order, by those functions that have one."""
    alphas, betas = iter(call.get("activation_alpha", [])), iter(call.get("activation_beta", []))
    chosen: list[Activation] = []
    for name in call.get("activations", defaults):
        if name.lower() not in ACTIVATIONS:
            raise call.refuse(f"the activation function {name!r}")
        function, alpha, beta = ACTIVATIONS[name.lower()]
        a = 0.0 if alpha is None else next(alphas, alpha)
        b = 0.0 if beta is None else next(betas, beta)
        chosen.append(lambda x, function=function, a=a, b=b: function(x, a, b))
    if len(chosen) != len(defaults):
        raise call.refuse(f"{len(chosen)} activation functions where {len(defaults)} are needed")
    return chosen
