"""Scores of honest models, by what the suspect was compared with. Written by `bench/lab/backdoor.py --calibrate`; do not edit."""

from .calibration import Honest

SOURCE = (
    "bench/lab, 71 clean models of the calibration half: "
    "digits-cnn, digits-mlp, gtsrb-cnn, gtsrb-mlp, mnist-cnn, mnist-mlp, signs-cnn, signs-mlp"
)
HONEST = {
    "golden": {
        "patch": Honest(0.0235, 0.1494, 51),
        "additive": Honest(0.0149, 0.1176, 51),
        "stripes": Honest(-0.0008, 0.2210, 51),
        "warp": Honest(-0.0043, 0.1000, 51),
        "scan": Honest(0.0255, 0.0764, 51),
        "together": Honest(2.9183, 1.0000, 51),
        "flip": Honest(0.0479, 0.1500, 51),
    },
    "student": {
        "together": Honest(4.7070, 1.5768, 51),
        "stripes": Honest(-0.2773, 0.2873, 51),
        "scan": Honest(-0.0672, 0.2357, 51),
    },
    "unlike": {
        "together": Honest(10.1697, 2.5361, 20),
        "stripes": Honest(-0.1439, 0.4551, 20),
        "scan": Honest(-0.0166, 0.0952, 20),
    },
}
DECIDING = {
    "golden": (
        "patch",
        "additive",
        "stripes",
        "warp",
        "scan",
    ),
    "student": (
        "together",
        "stripes",
        "scan",
    ),
    "unlike": (
        "together",
        "stripes",
        "scan",
    ),
}
