#!/usr/bin/env python3
"""Convoy against PyTorch, whole training steps on one GPU: both in one run, in turn, medians of several rounds.

  tests/gpu/compare.py [--seconds 900] [--result gpu-benchmarks.json] [--python PYTHON] [--cases resnet50:256:fp16,...] [--device cuda|cpu]

Both processes stay for a comparison and are asked in turn, so that neither pays for its start. The best of PyTorch's variants
(eager, captured as a CUDA graph, torch.compile, that captured) counts. Comparisons come in the order of their value; after each the
result is written, and when the time is over the rest is left out by name. Where PYTHON has no PyTorch, Convoy is measured alone.
"""
import argparse
import json
import os
import queue
import statistics
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
NETWORKS = ["resnet50", "alexnet_owt", "vgg16", "googlenet", "alexnet", "lenet"]
WITH_LRN = ["googlenet", "alexnet"]
QUICK = ["eager", "graph"]  # variants that need no compiler
COMPILED = ["compile", "compile_graph"]
START = {"eager": 40, "graph": 45, "compile": 150, "compile_graph": 150, "layers": 20}  # seconds, about


def comparisons():
    """(network, batch, precision, variant) in the order of their value; "layers" stands for the times of layers."""
    for network in NETWORKS:
        yield from ((network, 256, "fp16", variant) for variant in QUICK)
    for network in NETWORKS:
        yield from ((network, 32, "fp16", variant) for variant in QUICK)
    for network in NETWORKS:
        yield network, 256, "fp16", "layers"
    for network in ("resnet50", "alexnet_owt", "vgg16", "googlenet", "alexnet"):
        yield from ((network, 256, "fp16", variant) for variant in COMPILED)
    for network in ("resnet50", "vgg16"):
        yield from ((network, 256, "bf16", variant) for variant in QUICK)
    for network in NETWORKS:
        yield from ((network, 64, "fp16", variant) for variant in QUICK)
    for network in NETWORKS[1:]:
        yield from ((network, 256, "bf16", variant) for variant in QUICK if network != "vgg16")
    yield from (("resnet50", 64, "fp32", variant) for variant in QUICK)


def aims(network, batch):
    """What images/s over PyTorch's best, or over eager, are aimed at."""
    best = 1.3 if network in WITH_LRN else 1.0
    return {"best": None if network == "lenet" or batch <= 32 else best,
            "eager": 1.5 if network == "lenet" or batch <= 32 else None, "memory": 0.8}


def environment():
    """Of Convoy's programs: those of a bundle (run.sh) bring libraries that PyTorch must not get."""
    folders = os.environ.get("CONVOY_LIBRARY_PATH")
    return {**os.environ, "LD_LIBRARY_PATH": folders} if folders else None


class Peer:
    """A process that measures when it is asked. RuntimeError with its last words where it ends or does not answer."""

    def __init__(self, command, seconds, environment=None):
        self.command = command
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env=environment)
        self.lines, self.words = queue.Queue(), []
        for stream, take in ((self.process.stdout, self.lines.put), (self.process.stderr, self.words.append)):
            threading.Thread(target=self.read, args=(stream, take), daemon=True).start()
        try:
            self.ready = self.answer(seconds)
        except RuntimeError:
            self.close()
            raise

    def read(self, stream, take):
        for line in stream:
            take(line)
        if stream is self.process.stdout:
            self.lines.put(None)

    def answer(self, seconds):
        end = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(end - time.monotonic(), 0))
            except queue.Empty:
                raise RuntimeError(f"no answer in {seconds:.0f} s") from None
            if line is None:
                self.process.wait()
                time.sleep(0.1)  # for the last words
                words = " ".join("".join(self.words[-6:]).split())[-400:]
                raise RuntimeError(f"ended with {self.process.returncode}: {words}")
            if line.startswith("{"):
                return json.loads(line)

    def ask(self, seconds, patience=60):
        try:
            self.process.stdin.write(f"{seconds}\n")
            self.process.stdin.flush()
        except OSError:
            pass  # it has ended; answer() tells how
        return self.answer(seconds + patience)["images_per_second"]

    def close(self):
        try:
            self.process.stdin.close()
        except OSError:
            pass
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Comparison:
    def __init__(self, a, torch):
        self.a = a
        self.torch = torch  # whether it is there
        self.end = time.monotonic() + a.seconds
        self.results = {"device": None, "torch": None, "command": " ".join(sys.argv), "cases": [], "left_out": []}

    def left(self):
        return self.end - time.monotonic()

    def convoy(self, network, batch, precision):
        flags = [] if precision == "fp32" else [f"--{precision}"]
        return Peer([f"{ROOT}/build/tests/bench/train_step", f"{ROOT}/configs/nets/{network}.toml", str(batch), str(self.a.threads),
                     "1", "--device", self.a.device, "--ask", *flags], min(self.left(), 120), environment())

    def peer(self, network, batch, precision, variant):
        return Peer([self.a.python, f"{HERE}/torch_step.py", network, str(batch), "--precision", precision, "--variant", variant,
                     "--device", self.a.device], min(self.left(), 400))

    def case(self, network, batch, precision):
        for one in self.results["cases"]:
            if (one["network"], one["batch"], one["precision"]) == (network, batch, precision):
                return one
        one = {"network": network, "batch": batch, "precision": precision, "aims": aims(network, batch), "convoy": None,
               "torch": {}}
        self.results["cases"].append(one)
        return one

    def run(self, network, batch, precision, variant):
        name = f"{network} batch {batch} {precision} {variant}"
        if self.left() < START[variant]:
            self.leave_out(name, "the time is over")
            return
        try:
            if variant == "layers":
                self.layers(network, batch, precision)
            else:
                self.compare(network, batch, precision, variant)
        except (RuntimeError, OSError, ValueError, KeyError, subprocess.TimeoutExpired) as problem:
            self.leave_out(name, problem)
        self.write()

    def leave_out(self, name, problem):
        self.results["left_out"].append({"name": name, "reason": str(problem)})
        print(f"{name} left out: {problem}", flush=True)
        self.write()

    def compare(self, network, batch, precision, variant):
        case = self.case(network, batch, precision)
        if not self.torch and case["convoy"] is not None:
            return
        ours = self.convoy(network, batch, precision)
        theirs = None
        try:
            self.results["device"] = ours.ready["device"]
            if self.torch:
                theirs = self.peer(network, batch, precision, variant)
                self.results["torch"] = {key: theirs.ready[key] for key in ("torch", "cuda", "cudnn")}
            rates = {"convoy": [], "torch": []}
            for _ in range(self.a.rounds):
                rates["convoy"].append(ours.ask(self.a.block))
                if theirs is not None:
                    rates["torch"].append(theirs.ask(self.a.block))
            self.note(case, variant, ours.ready, theirs and theirs.ready, rates)
        finally:
            ours.close()
            if theirs is not None:
                theirs.close()

    def note(self, case, variant, ours, theirs, rates):
        rate = statistics.median(rates["convoy"])
        best_before = (case["convoy"] or {}).get("images_per_second", 0)
        case["convoy"] = {**ours, "images_per_second": max(rate, best_before)}
        if theirs is None:
            print(f"{case['network']} batch {case['batch']} {case['precision']}: Convoy {rate:.0f} images/s", flush=True)
            return
        pairs = [mine / other for mine, other in zip(rates["convoy"], rates["torch"])]
        case["torch"][variant] = {"images_per_second": statistics.median(rates["torch"]), "ratio": statistics.median(pairs),
                                  "ratios": pairs, **theirs}
        of_arena = theirs.get("allocated_bytes")
        if of_arena:
            case["torch"][variant]["memory_ratio"] = ours["arena_bytes"] / of_arena
        best = max(case["torch"], key=lambda name: case["torch"][name]["images_per_second"])
        case["best_variant"], case["ratio"] = best, case["torch"][best]["ratio"]
        print(f"{case['network']} batch {case['batch']} {case['precision']}: Convoy {rate:.0f} images/s, PyTorch {variant} "
              f"{case['torch'][variant]['images_per_second']:.0f}, ratio {statistics.median(pairs):.2f}", flush=True)

    def layers(self, network, batch, precision):
        command = [f"{ROOT}/build/convoy", "time", f"{ROOT}/configs/nets/{network}.toml", "--device", self.a.device, "--batch",
                   str(batch), "--precision", precision, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=max(min(self.left(), 180), 1),
                              env=environment())
        if done.returncode != 0:
            raise RuntimeError(f"ended with {done.returncode}: {done.stderr.strip()[-400:]}")
        self.case(network, batch, precision)["layers"] = json.loads(done.stdout)

    def write(self):
        self.results["seconds"] = round(self.a.seconds - self.left(), 1)
        temporary = self.a.result + ".part"
        with open(temporary, "w") as file:
            json.dump(self.results, file, indent=1)
            file.write("\n")
        os.replace(temporary, self.a.result)


def table(results):
    """One row a case: images/s, the ratios to PyTorch's best and to eager, that of memory, and the aims."""
    def cell(value, aim=None):
        if value is None:
            return "-"
        return f"{value:.2f}" + ("" if aim is None else f" (aim {aim:.1f}{'' if value >= aim else ', missed'})")

    lines = ["| network | batch | type | Convoy images/s | PyTorch's best | of it | of eager | memory |", "|---|---|---|---|---|---|---|---|"]
    for one in results["cases"]:
        if one["convoy"] is None:
            continue
        eager = one["torch"].get("eager", {})
        best = one.get("best_variant")
        memory = eager.get("memory_ratio")
        missed = memory is not None and memory > one["aims"]["memory"]
        lines.append("| " + " | ".join([
            one["network"], str(one["batch"]), one["precision"], f"{one['convoy']['images_per_second']:.0f}",
            "-" if best is None else f"{one['torch'][best]['images_per_second']:.0f} ({best})",
            cell(one.get("ratio"), one["aims"]["best"]), cell(eager.get("ratio"), one["aims"]["eager"]),
            "-" if memory is None else f"{memory:.2f} (aim {one['aims']['memory']}{', missed' if missed else ''})"]) + " |")
    return "\n".join(lines)


def has_torch(python, device):
    test = "import torch; " + ("assert torch.cuda.is_available(), 'it sees no GPU'" if device == "cuda" else "pass")
    done = subprocess.run([python, "-c", test], capture_output=True, text=True)
    if done.returncode != 0:
        print(f"skipped: PyTorch in {python} ({(done.stderr.strip() or 'no words').splitlines()[-1]}); Convoy alone", flush=True)
    return done.returncode == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=900, help="for all of it")
    parser.add_argument("--result", default="gpu-benchmarks.json")
    parser.add_argument("--python", default=sys.executable, help="an interpreter with PyTorch")
    parser.add_argument("--cases", help="NET:BATCH:PRECISION[:VARIANT],...; without a variant those that need no compiler")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--block", type=float, default=0.5, help="seconds of one measurement")
    parser.add_argument("--threads", type=int, default=2, help="of the processor, for --device cpu")
    a = parser.parse_args()
    comparison = Comparison(a, has_torch(a.python, a.device))
    cases = comparisons()
    if a.cases:
        cases = []
        for words in a.cases.split(","):
            network, batch, precision, *variant = words.split(":")
            cases += [(network, int(batch), precision, one) for one in variant or QUICK]
    comparison.write()
    for case in cases:
        comparison.run(*case)
    print(table(comparison.results))


if __name__ == "__main__":
    main()
