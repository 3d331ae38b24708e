#!/usr/bin/env python3
"""Pages of `convoy plan --html` by a real XML parser (expat): well-formed, of known elements only, nothing from elsewhere, and
below a mebibyte; for jobs that fit, that do not, and of thousands of tensors.

  check_pages.py CONVOY SOURCE
"""
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as tree

CONVOY, SOURCE = sys.argv[1:]
ELEMENTS = set("html head meta title style body h1 h2 small strong p table tr th td span svg g rect path line text".split())
CASES = [("lenet", [], 0), ("alexnet", ["--memory-limit", "900MiB"], 0), ("alexnet", ["--memory-limit", "500MiB"], 3),
         ("resnet152", ["--device", "h100-80gb", "--set", "train.micro_batch=30", "--memory-limit", "8GiB"], 0),
         ("googlenet", ["--inference"], 0)]


def check(page):
    text = open(page, encoding="utf-8").read()
    root = tree.fromstring(text)
    unknown = {element.tag for element in root.iter()} - ELEMENTS
    assert root.tag == "html" and not unknown, unknown
    assert not re.search(r"https?:|//|url\(|@import|src=|href|\bon\w+=", text.replace("&", ""), re.I), "a reference"
    assert os.path.getsize(page) < 1 << 20, os.path.getsize(page)
    rectangles = [r for r in root.iter("rect") if r.find("title") is not None]
    assert len(rectangles) > 10, len(rectangles)


with tempfile.TemporaryDirectory() as folder:
    for net, words, code in CASES:
        page = f"{folder}/plan.html"
        job = f"{SOURCE}/configs/jobs/alexnet-synthetic.toml"
        command = [CONVOY, "plan", job, "--html", page, "--set", f"network={SOURCE}/configs/nets/{net}.toml", *words]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "CONVOY_CACHE": folder})
        assert done.returncode == code, (command, done.returncode, done.stderr)
        check(page)
        print(net, *words, os.path.getsize(page), "bytes")
