#!/usr/bin/env python3
"""Convoy against PyTorch, whole training steps on the CPU: both in one run, interleaved, medians of several rounds.

  tests/bench/compare.py [--rounds 5] [--threads 2] [--json FILE]

Needs a release build (build/tests/bench/train_step) and PyTorch from PyPI in the Python that runs this script:
  python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch==2.13.0 && /tmp/torch/bin/python tests/bench/compare.py
The best of PyTorch's variants (eager and torch.compile, channels-last and not) counts.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CASES = [("lenet", 64, 100), ("fashion_net", 64, 20)]


def measure(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()[-400:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--variants", default="eager,channels_last,compile,compile_channels_last")
    parser.add_argument("--json")
    a = parser.parse_args()
    variants = a.variants.split(",")
    results = []
    for net, batch, steps in CASES:
        ours, outside, theirs = [], [], {v: [] for v in variants}
        for _ in range(a.rounds):
            figures = measure([f"{ROOT}/build/tests/bench/train_step", f"{ROOT}/configs/nets/{net}.toml", str(batch),
                               str(a.threads), str(steps)])
            ours.append(figures["images_per_second"])
            outside.append(figures["outside_kernels_share"])
            for variant in list(theirs):
                command = [sys.executable, f"{HERE}/torch_train_step.py", net, str(batch), str(a.threads), str(steps),
                           "--variant", variant, "--blocks", "3"]
                try:
                    peer = measure(command)
                    theirs[variant].append(peer["images_per_second"])
                except RuntimeError as problem:
                    print(f"{variant} left out: {problem}", file=sys.stderr)
                    del theirs[variant]
        medians = {v: statistics.median(rates) for v, rates in theirs.items()}
        best = max(medians, key=medians.get)
        pairs = [mine / peer for mine, peer in zip(ours, theirs[best])]
        results.append({"network": net, "batch": batch, "threads": a.threads, "rounds": a.rounds, "torch": peer["torch"],
                        "convoy_images_per_second": statistics.median(ours), "torch_images_per_second": medians,
                        "best_variant": best, "ratio": statistics.median(pairs), "ratios": pairs,
                        "outside_kernels_share": statistics.median(outside)})
        print(f"{net} batch {batch}: Convoy {statistics.median(ours):.0f} images/s, PyTorch {medians[best]:.0f} ({best}), "
              f"ratio {statistics.median(pairs):.2f} ({min(pairs):.2f} to {max(pairs):.2f}); "
              f"outside kernels {100 * statistics.median(outside):.1f}% of a step", flush=True)
    if a.json:
        with open(a.json, "w") as file:
            json.dump(results, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
