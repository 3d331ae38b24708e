#!/usr/bin/env python3
"""Convoy against PyTorch, whole training steps on the CPU: both in one run, interleaved, medians of several rounds.

  tests/bench/compare.py [--rounds 5] [--threads 2] [--cases lenet,lenet:bf16,resnet50,...|small|all] [--json FILE]

Needs a release build (build/tests/bench/train_step) and PyTorch from PyPI in the Python that runs this script:
  python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch==2.13.0 torchvision && /tmp/torch/bin/python tests/bench/compare.py
The best of PyTorch's variants (eager and torch.compile, channels-last and not) counts. The large networks take minutes a round.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
# batch, steps of a block, blocks, warm-up
CASES = {"lenet": (64, 100, 3, 5), "fashion_net": (64, 20, 3, 5), "alexnet_owt": (64, 1, 3, 1), "vgg16": (16, 1, 3, 1),
         "googlenet_bn": (16, 1, 3, 1), "resnet50": (32, 1, 3, 1)}
SMALL = ["lenet", "fashion_net"]
ALL = [name + half for name in CASES for half in ("", ":bf16")]


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
    parser.add_argument("--cases", default="small")
    parser.add_argument("--default-kernels", action="store_true", help="Convoy's kernels by rules of thumb, not measured")
    parser.add_argument("--json")
    a = parser.parse_args()
    cases = {"small": SMALL, "all": ALL}.get(a.cases, a.cases.split(","))
    results = []
    for case in cases:
        net, _, half = case.partition(":")
        batch, steps, blocks, warm_up = CASES[net]
        flags = ["--bf16"] if half == "bf16" else []
        ours, outside, theirs = [], [], {v: [] for v in a.variants.split(",")}
        for _ in range(a.rounds):
            figures = measure([f"{ROOT}/build/tests/bench/train_step", f"{ROOT}/configs/nets/{net}.toml", str(batch),
                               str(a.threads), str(steps), *flags,
                               *(["--default-kernels"] if a.default_kernels else [])])
            ours.append(figures["images_per_second"])
            outside.append(figures["outside_kernels_share"])
            for variant in list(theirs):
                command = [sys.executable, f"{HERE}/torch_train_step.py", net, str(batch), str(a.threads), str(steps),
                           "--variant", variant, "--blocks", str(blocks), "--warm-up", str(warm_up), *flags]
                try:
                    peer = measure(command)
                    theirs[variant].append(peer["images_per_second"])
                except RuntimeError as problem:
                    print(f"{variant} left out: {problem}", file=sys.stderr)
                    del theirs[variant]
        medians = {v: statistics.median(rates) for v, rates in theirs.items()}
        best = max(medians, key=medians.get)
        pairs = [mine / peer for mine, peer in zip(ours, theirs[best])]
        results.append({"network": net, "batch": batch, "precision": half or "fp32", "threads": a.threads,
                        "rounds": a.rounds, "torch": peer["torch"],
                        "convoy_images_per_second": statistics.median(ours), "torch_images_per_second": medians,
                        "best_variant": best, "ratio": statistics.median(pairs), "ratios": pairs,
                        "outside_kernels_share": statistics.median(outside)})
        print(f"{net} batch {batch} {half or 'fp32'}: Convoy {statistics.median(ours):.1f} images/s, PyTorch "
              f"{medians[best]:.1f} ({best}), ratio {statistics.median(pairs):.2f} ({min(pairs):.2f} to "
              f"{max(pairs):.2f}); outside kernels {100 * statistics.median(outside):.1f}% of a step", flush=True)
    if a.json:
        with open(a.json, "w") as file:
            json.dump(results, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
