#!/usr/bin/env python3
"""Predicted against measured time of training steps on this machine's processor.

For each network and round, with an empty cache of its own: `convoy plan` measures the processor and predicts,
`convoy time` measures kernels and times steps, `convoy plan` predicts again with what is known of the kernels
then. All in one round, for machines whose speed changes from minute to minute. On a machine with other work
--processor-time counts one thread's time on a core, from runs of few and of more steps.

    tests/bench/predicted_time.py [--rounds N] [--convoy build/convoy] [--cases lenet,alexnet_owt,...]
                                  [--batch N] [--processor-time]
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import tempfile

CASES = {  # network: batch, precision, steps
    "lenet": (64, "fp32", 60),
    "cifar10_quick": (64, "fp32", 30),
    "alexnet_owt": (64, "fp32", 5),
    "googlenet_bn": (16, "fp32", 5),
    "resnet50": (32, "fp32", 3),
    "vgg16": (16, "fp32", 3),
    "alexnet_owt/bf16": (64, "bf16", 5),
    "resnet50/bf16": (32, "bf16", 3),
}


def run(words, cache):
    environment = dict(os.environ, CONVOY_CACHE=cache)
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)}:\n{done.stderr}")
    return json.loads(done.stdout)


def processor_seconds(words, cache):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(words, cache)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def step_seconds(options, network, batch, steps, precision, cache):
    time = [options.convoy, "time", network, "--batch", str(batch), "--precision", precision, "--json"]
    if not options.processor_time:
        return run(time + ["--steps", str(steps)], cache)["step_milliseconds"] / 1e3
    time += ["--threads", "1", "--steps"]
    run(time + ["1"], cache)  # measures kernels
    few = processor_seconds(time + ["1"], cache)
    return (processor_seconds(time + [str(1 + steps)], cache) - few) / steps


def one_round(options, name):
    convoy = options.convoy
    batch, precision, steps = CASES[name]
    batch = options.batch or batch
    threads = "threads = 1\n" if options.processor_time else ""
    network = os.path.abspath(f"configs/nets/{name.split('/')[0]}.toml")
    with tempfile.TemporaryDirectory() as folder:
        job = os.path.join(folder, "job.toml")
        with open(job, "w") as file:
            file.write(f'network = "{network}"\n{threads}[data]\nkind = "synthetic"\nsamples = {10 * batch}\n'
                       f'[train]\nbatch = {batch}\nprecision = "{precision}"\n')
        plan = [convoy, "plan", job, "--json"]
        before = run(plan, folder)["prediction"]["step_seconds"]
        measured = step_seconds(options, network, batch, steps, precision, folder)
        after = run(plan, folder)["prediction"]["step_seconds"]
    return before, measured, after


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--convoy", default="build/convoy")
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--batch", type=int, default=0, help="in place of each case's")
    parser.add_argument("--processor-time", action="store_true")
    options = parser.parse_args()
    print(f"{'network':<18} {'batch':>5} {'measured ms':>12} {'predicted':>10} {'ratio':>6} {'kernels known':>14} {'ratio':>6}")
    for name in options.cases.split(","):
        rounds = [one_round(options, name) for _ in range(options.rounds)]
        before, measured, after = (1e3 * statistics.median(column) for column in zip(*rounds))
        ratio = [statistics.median(r[i] / r[1] for r in rounds) for i in (0, 2)]
        print(f"{name:<18} {options.batch or CASES[name][0]:>5} {measured:>12.1f} {before:>10.1f} {ratio[0]:>6.2f} {after:>14.1f} {ratio[1]:>6.2f}",
              flush=True)


if __name__ == "__main__":
    main()
