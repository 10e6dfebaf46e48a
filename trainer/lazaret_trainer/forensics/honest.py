"""Scores of honest models, by what the suspect was compared with. Written by `bench/lab/backdoor.py --calibrate`; do not edit."""

from .calibration import Honest

SOURCE = "bench/lab, 49 clean models of the calibration half: digits-cnn, digits-mlp, gtsrb-cnn, gtsrb-mlp, mnist-cnn, mnist-mlp"
HONEST = {
    "golden": {
        "patch": Honest(0.0291, 0.1690, 49),
        "additive": Honest(0.0142, 0.1292, 49),
        "warp": Honest(-0.0027, 0.1000, 49),
        "scan": Honest(0.0052, 0.0904, 49),
        "together": Honest(3.6534, 1.3690, 49),
        "flip": Honest(0.3595, 0.2678, 49),
    },
    "student": {
        "together": Honest(5.1428, 1.4530, 29),
    },
    "unlike": {
        "together": Honest(10.1697, 2.5361, 20),
        "scan": Honest(-0.0166, 0.0952, 20),
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
