"""Windows that slide over the spatial axes of [N, C, …]: sizes, strides, dilations and padding of convolution and pooling."""

from collections.abc import Sequence
from dataclasses import dataclass

from .registry import Call

Padding = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Window:
    """One entry per spatial axis, in elements."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    padding: Padding

    @property
    def reach(self) -> tuple[int, ...]:
        """Elements from the first to the last tap, dilation included."""
        return tuple((size - 1) * dilation + 1 for size, dilation in zip(self.kernel, self.dilations, strict=True))

    def ceil_padding(self, spatial: Sequence[int]) -> tuple[int, ...]:
        """What `ceil_mode` adds at each end so that the last window fits; a window that would start in the padding is not made."""
        extra = []
        for size, reach, stride, (low, high) in zip(spatial, self.reach, self.strides, self.padding, strict=True):
            length = size + low + high
            windows = -(-(length - reach) // stride) + 1
            if (windows - 1) * stride >= size + low:
                windows -= 1
            extra.append(max((windows - 1) * stride + reach - length, 0))
        return tuple(extra)


def window(call: Call, spatial: Sequence[int], kernel: Sequence[int]) -> Window:
    """Reads the attributes that Conv and the pools share."""
    ones = (1,) * len(spatial)
    if len(kernel) != len(spatial) or min((*kernel, 1)) < 1:
        raise call.refuse(f"a kernel {list(kernel)} over {len(spatial)} axes")
    strides, dilations = tuple(call.get("strides", ones)), tuple(call.get("dilations", ones))
    reach = [(size - 1) * dilation + 1 for size, dilation in zip(kernel, dilations, strict=True)]
    return Window(tuple(kernel), strides, dilations, _padding(call, spatial, reach, strides))


def _padding(call: Call, spatial: Sequence[int], reach: Sequence[int], strides: Sequence[int]) -> Padding:
    automatic = call.get("auto_pad", "NOTSET")
    if automatic in ("SAME_UPPER", "SAME_LOWER"):
        return tuple(
            split(max((-(-size // stride) - 1) * stride + taps - size, 0), automatic)
            for size, taps, stride in zip(spatial, reach, strides, strict=True)
        )
    none = (0,) * (2 * len(spatial))
    pads = call.get("pads", none) if automatic == "NOTSET" else none
    return tuple(zip(pads[: len(spatial)], pads[len(spatial) :], strict=True))


def split(total: int, automatic: str) -> tuple[int, int]:
    """Halves of a padding; the odd element goes to the end for SAME_UPPER, to the start for SAME_LOWER."""
    low = total // 2 if automatic == "SAME_UPPER" else total - total // 2
    return low, total - low
