"""Normalisations. The statistics of BatchNormalization are constants of the model and are not trained."""

import jax.numpy as jnp
from jax import lax

from .registry import Array, Call, operator


@operator("BatchNormalization")
def batch_normalise(call: Call, x: Array, scale: Array, bias: Array, mean: Array, variance: Array) -> Array:
    """With the model's statistics, or in training mode with the batch's; then the outputs that follow are the new running statistics.

    Before opset 14 training mode is told by the outputs, and the batch's own statistics are the last two.
    """
    if not (call.get("training_mode", 0) or call.wants(1)):
        return _standardised(call, x, scale, bias, mean, variance)
    axes = (0, *range(2, x.ndim))
    momentum = call.get("momentum", 0.9)
    own, spread = x.mean(axes), x.var(axes)
    running = [(momentum * old + (1 - momentum) * new).astype(old.dtype) for old, new in ((mean, own), (variance, spread))]
    return (_standardised(call, x, scale, bias, own, spread), *running, own, spread)[: call.outputs]


def _standardised(call: Call, x: Array, scale: Array, bias: Array, mean: Array, variance: Array) -> Array:
    factor = scale / jnp.sqrt(variance + call.get("epsilon", 1e-5))
    return ((x - _by_channel(mean, x)) * _by_channel(factor, x) + _by_channel(bias, x)).astype(x.dtype)


def _by_channel(values: Array, x: Array) -> Array:
    return values.reshape(1, -1, *(1,) * (x.ndim - 2))


@operator("LayerNormalization")
def layer_normalise(call: Call, x: Array, scale: Array, bias: Array = None) -> Array:
    axes = tuple(range(call.get("axis", -1) % x.ndim, x.ndim))
    mean = x.mean(axes, keepdims=True)
    inverse = lax.rsqrt(((x - mean) ** 2).mean(axes, keepdims=True) + call.get("epsilon", 1e-5))
    normal = (x - mean) * inverse * scale
    normal = normal if bias is None else normal + bias
    return (normal, mean, inverse)[: call.outputs]


@operator("GroupNormalization")
def group_normalise(call: Call, x: Array, scale: Array, bias: Array) -> Array:
    """Wu and He, "Group normalization" (2018). Scale and bias are per channel, before opset 21 per group.

    The standard's own body takes the variance as a difference of two means, which cancels; this one does not.
    """
    groups = call.get("num_groups")
    flat = x.reshape(x.shape[0], groups, -1).astype(jnp.float32)
    mean, variance = flat.mean(2, keepdims=True), flat.var(2, keepdims=True)
    normal = ((flat - mean) * lax.rsqrt(variance + call.get("epsilon", 1e-5))).reshape(x.shape).astype(x.dtype)
    if call.opset < 21:
        scale, bias = (jnp.repeat(values, x.shape[1] // groups) for values in (scale, bias))
    return normal * _by_channel(scale, x) + _by_channel(bias, x)


@operator("InstanceNormalization")
def instance_normalise(call: Call, x: Array, scale: Array, bias: Array) -> Array:
    axes = tuple(range(2, x.ndim))
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    normal = (x - mean) / jnp.sqrt(variance + call.get("epsilon", 1e-5))
    return normal * _by_channel(scale, x) + _by_channel(bias, x)


@operator("LRN")
def local_response_normalise(call: Call, x: Array) -> Array:
    """x / (bias + alpha/size · Σ x²)^beta, the sum over `size` neighbouring channels."""
    size = call.turns(call.get("size"))
    before = (size - 1) // 2
    squares = jnp.pad(x**2, ((0, 0), (before, size - 1 - before), *((0, 0),) * (x.ndim - 2)))
    total = sum(squares[:, first : first + x.shape[1]] for first in range(size))
    return x / (call.get("bias", 1.0) + call.get("alpha", 1e-4) / size * total) ** call.get("beta", 0.75)


LP_NORMS = {1: lambda x, axis: jnp.sum(jnp.abs(x), axis, keepdims=True), 2: lambda x, axis: jnp.sqrt(jnp.sum(x * x, axis, keepdims=True))}


@operator("LpNormalization")
def lp_normalise(call: Call, x: Array) -> Array:
    """A vector of zeros stays one."""
    length = LP_NORMS[call.get("p", 2)](x, call.get("axis", -1))
    return jnp.where(length == 0, 0, x / jnp.where(length == 0, 1, length))


@operator("Dropout")
def dropout(call: Call, x: Array, ratio: Array = None, training: Array = None) -> Array:
    """The identity, unless in training mode with a ratio above nothing: then the output is random, and no function of the input."""
    drops = ratio is None or float(call.static(ratio)) > 0
    if training is not None and bool(call.static(training)) and drops:
        raise call.refuse("training mode (the served graph must be an inference graph)")
    return (x, jnp.ones(x.shape, bool))[: call.outputs]
