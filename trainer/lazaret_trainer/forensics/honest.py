"""Scores of honest models, by what the suspect was compared with. Written by `bench/lab/backdoor.py --calibrate`; do not edit."""

from .calibration import Honest

SOURCE = "bench/lab, 9 clean models of the calibration half: digits-cnn, digits-mlp, gtsrb-mlp, mnist-mlp"
HONEST = {
    "golden": {
        "patch": Honest(0.0049, 0.1239, 9),
        "additive": Honest(-0.0427, 0.0853, 9),
        "warp": Honest(-0.0396, 0.1188, 9),
        "patch-lead": Honest(0.3690, 0.1433, 9),
        "additive-lead": Honest(0.2591, 0.0900, 9),
        "warp-lead": Honest(0.0417, 0.1252, 9),
        "scan": Honest(0.0148, 0.0544, 9),
        "margin": Honest(0.1643, 0.1466, 9),
        "flip": Honest(0.0152, 0.0150, 9),
    },
    "student": {
        "patch": Honest(-0.2530, 0.2576, 8),
        "additive": Honest(-0.3122, 0.3276, 8),
        "warp": Honest(-0.0647, 0.4326, 8),
        "patch-lead": Honest(0.4955, 0.1216, 8),
        "additive-lead": Honest(0.2540, 0.0500, 8),
        "warp-lead": Honest(0.2082, 0.3134, 8),
        "scan": Honest(-0.1247, 0.1870, 8),
        "margin": Honest(0.2235, 0.2049, 8),
    },
}
DECIDING = {"golden": ("patch", "additive", "warp", "scan"), "student": ("patch-lead", "additive-lead", "scan")}
