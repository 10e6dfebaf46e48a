"""How many of ONNX's own node tests the graph function passes: `python bench/operators.py`. The last line is JSON."""

import json
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TRAINER = Path(__file__).parent.parent
sys.path[:0] = [str(TRAINER), str(TRAINER / "tests")]

from lazaret_trainer import device  # noqa: E402

device.configure(cache=None)

# After the configuration: JAX reads its flags once.
from test_operators import THREADS, TOGETHER, cases, verdicts, why_not_applicable  # noqa: E402

from lazaret_trainer.graph import SUPPORTED  # noqa: E402

OPERATORS = 90
SHARE = 0.97


def main() -> None:
    applicable = [(case, node) for case, node in cases() if why_not_applicable(case, node) is None]
    groups = [applicable[first : first + TOGETHER] for first in range(0, len(applicable), TOGETHER)]
    with ThreadPoolExecutor(THREADS) as pool:
        outcomes = [words for group in pool.map(verdicts, groups) for words in group]
    passed = sum(not words for words in outcomes)
    share = passed / len(applicable)
    print(f"{passed} of {len(applicable)} applicable node tests pass for {len(SUPPORTED)} operators")
    figures = [
        {"name": "operators", "value": len(SUPPORTED), "unit": "", "target": f"≥ {OPERATORS}", "met": len(SUPPORTED) >= OPERATORS},
        {"name": "node_tests_passed", "value": round(share, 4), "unit": "share", "target": f"≥ {SHARE}", "met": share >= SHARE},
    ]
    print(json.dumps({"figures": figures}))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
