"""Activation functions."""

import math

import jax
import jax.numpy as jnp

from .images import on_images
from .registry import Array, Call, operator


@operator("Relu")
def relu(call: Call, x: Array) -> Array:
    return on_images(lambda x: jnp.maximum(x, 0), x)


@operator("Sigmoid")
def sigmoid(call: Call, x: Array) -> Array:
    return on_images(jax.nn.sigmoid, x)


@operator("Softplus")
def softplus(call: Call, x: Array) -> Array:
    return jax.nn.softplus(x)


@operator("Softsign")
def softsign(call: Call, x: Array) -> Array:
    return jax.nn.soft_sign(x)


@operator("Mish")
def mish(call: Call, x: Array) -> Array:
    return jax.nn.mish(x)


@operator("LeakyRelu")
def leaky_relu(call: Call, x: Array) -> Array:
    return on_images(lambda x: jnp.where(x >= 0, x, call.get("alpha", 0.01) * x), x)


@operator("ThresholdedRelu")
def thresholded_relu(call: Call, x: Array) -> Array:
    return jnp.where(x > call.get("alpha", 1.0), x, 0)


@operator("Shrink")
def shrink(call: Call, x: Array) -> Array:
    threshold, bias = call.get("lambd", 0.5), call.get("bias", 0.0)
    return jnp.where(x < -threshold, x + bias, jnp.where(x > threshold, x - bias, 0)).astype(x.dtype)


@operator("PRelu")
def prelu(call: Call, x: Array, slope: Array) -> Array:
    return jnp.where(x >= 0, x, slope * x)


@operator("Elu")
def elu(call: Call, x: Array) -> Array:
    return jax.nn.elu(x, call.get("alpha", 1.0))


@operator("Celu")
def celu(call: Call, x: Array) -> Array:
    return jax.nn.celu(x, call.get("alpha", 1.0))


@operator("Selu")
def selu(call: Call, x: Array) -> Array:
    alpha, gamma = call.get("alpha", 1.6732631921768188), call.get("gamma", 1.0507010221481323)
    # expm1 of a large positive number is infinite, and 0 · ∞ would make the gradient NaN.
    return gamma * jnp.where(x > 0, x, alpha * jnp.expm1(jnp.minimum(x, 0)))


@operator("HardSigmoid")
def hard_sigmoid(call: Call, x: Array) -> Array:
    return jnp.clip(call.get("alpha", 0.2) * x + call.get("beta", 0.5), 0, 1)


@operator("HardSwish")
def hard_swish(call: Call, x: Array) -> Array:
    return x * jnp.clip(x / 6 + 0.5, 0, 1)


@operator("Gelu")
def gelu(call: Call, x: Array) -> Array:
    return jax.nn.gelu(x, approximate=call.get("approximate", "none") == "tanh")


SOFTMAX = {"Softmax": jax.nn.softmax, "LogSoftmax": jax.nn.log_softmax}


@operator(*SOFTMAX)
def softmax(call: Call, x: Array) -> Array:
    """Over one axis since opset 13; before, over everything from the axis on."""
    function = SOFTMAX[call.operator]
    if call.opset >= 13:
        return function(x, axis=call.get("axis", -1))
    axis = call.get("axis", 1) % max(x.ndim, 1)
    return function(x.reshape(math.prod(x.shape[:axis]), -1), axis=-1).reshape(x.shape)
