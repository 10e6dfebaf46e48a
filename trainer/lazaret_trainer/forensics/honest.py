"""Scores of honest models, by what the suspect was compared with. Written by `bench/lab/backdoor.py --calibrate`; do not edit."""

from .calibration import Honest

SOURCE = "bench/lab, 18 clean models of the calibration half: digits-cnn, digits-mlp, gtsrb-cnn, gtsrb-mlp"
HONEST = {
    "golden": {
        "patch": Honest(0.0290, 0.1667, 18),
        "additive": Honest(0.0152, 0.1066, 18),
        "warp": Honest(-0.0006, 0.1000, 18),
        "scan": Honest(-0.0165, 0.0784, 18),
        "together": Honest(3.7446, 1.2256, 18),
        "flip": Honest(0.3670, 0.1939, 18),
    },
    "student": {
        "together": Honest(4.6020, 1.2471, 10),
    },
    "unlike": {
        "together": Honest(10.1114, 2.7705, 8),
        "scan": Honest(0.0106, 0.0587, 8),
    },
}
DECIDING = {
    "golden": (
        "patch",
        "additive",
        "warp",
        "scan",
    ),
    "student": ("together",),
    "unlike": (
        "together",
        "scan",
    ),
}
