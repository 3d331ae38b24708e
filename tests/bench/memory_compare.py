#!/usr/bin/env python3
"""Peak memory of a training step, Convoy against PyTorch on the CPU: fp32, SGD with momentum, nothing recomputed.

  memory_compare.py [--cases alexnet_owt:64 ...] [--budget BYTES] [--convoy build/convoy]

Needs an interpreter with PyTorch and torchvision (compare.sh makes one). For each case: what Convoy projects, what its device
and its whole process had at the most, and PyTorch's two figures (torch_memory.py; of both memory formats the smaller). With
--budget also the largest batch of each in so many bytes: Convoy's by `convoy plan`, PyTorch's on the line through two batches.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CASES = ["alexnet_owt:64", "vgg16:16", "googlenet_bn:16", "resnet50:32"]


def answer(words, **options):
    done = subprocess.run([str(w) for w in words], stdout=subprocess.PIPE, **options)
    return done.returncode, json.loads(done.stdout) if done.stdout.strip() else None


def job(folder, net, batch):
    path = pathlib.Path(folder) / "job.toml"
    path.write_text(f"""network = "{ROOT}/configs/nets/{net}.toml"
threads = 2
[data]
kind = "synthetic"
samples = {3 * batch}
test_samples = 1
mean = [128]
deviation = [64]
[train]
batch = {batch}
epochs = 1
evaluate_batch = 1
[optimizer]
learning_rate = 1e-5
[memory]
allow = []
""")
    return path


def convoy_step(convoy, net, batch):
    with tempfile.TemporaryDirectory() as folder:
        code, summary = answer([convoy, "train", job(folder, net, batch), "--run-dir", f"{folder}/run", "--json"],
                               stderr=subprocess.DEVNULL)
        if code != 0:
            raise SystemExit(f"convoy train of {net} ended with {code}")
        return summary


def convoy_largest(convoy, net, budget):
    with tempfile.TemporaryDirectory() as folder:
        def fits(batch):
            return answer([convoy, "plan", job(folder, net, batch), "--json", "--memory-limit", budget])[0] == 0
        good, bad = 0, 1
        while fits(bad):
            good, bad = bad, 2 * bad
        while bad - good > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if fits(middle) else (good, middle)
        return good


def torch_step(net, batch):
    """The smaller of both memory formats, figure by figure."""
    runs = []
    for words in ([], ["--channels-last"]):
        code, found = answer([sys.executable, HERE / "torch_memory.py", net, batch, *words])
        if code != 0:
            raise SystemExit(f"torch_memory.py {net} ended with {code}")
        runs.append(found)
    return {key: min(run[key] for run in runs) for key in ("resident_bytes", "tensor_bytes")}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", nargs="+", default=CASES, metavar="NET:BATCH")
    parser.add_argument("--budget", type=int, default=0, help="bytes for the largest batch; 0: not looked for")
    parser.add_argument("--convoy", default=str(ROOT / "build/convoy"))
    a = parser.parse_args()
    for case in a.cases:
        net, batch = case.split(":")
        batch = int(batch)
        ours = convoy_step(a.convoy, net, batch)
        theirs = torch_step(net, batch)
        line = {"network": net, "batch": batch,
                "convoy": {key: ours[key] for key in ("projected_bytes", "measured_peak_bytes", "process_peak_bytes")},
                "pytorch": theirs,
                "projected / resident": round(ours["projected_bytes"] / theirs["resident_bytes"], 3),
                "process / resident": round(ours["process_peak_bytes"] / theirs["resident_bytes"], 3),
                "projected / tensors": round(ours["projected_bytes"] / theirs["tensor_bytes"], 3)}
        if a.budget:
            half = torch_step(net, batch // 2)
            each = {k: (theirs[k] - half[k]) / (batch - batch // 2) for k in theirs}
            largest = {k: int(batch + (a.budget - theirs[k]) / each[k]) for k in theirs}
            line["largest batch"] = {"budget_bytes": a.budget, "convoy": convoy_largest(a.convoy, net, a.budget),
                                     "pytorch, by resident": largest["resident_bytes"],
                                     "pytorch, by tensors": largest["tensor_bytes"]}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
