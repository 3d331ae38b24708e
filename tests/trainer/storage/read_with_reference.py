#!/usr/bin/env python3
"""Reads a file that Convoy wrote with the reference reader (PyPI's safetensors) and checks every byte.

read_with_reference.py WRITE_SAMPLE: the program that writes the file. Exit code 77, which ctest shows as
skipped, when safetensors is not installed (pip install safetensors).
"""
import pathlib
import subprocess
import sys
import tempfile

try:
    import safetensors
except ImportError:
    print("skipped: the Python package safetensors is not installed (pip install safetensors)")
    sys.exit(77)


def pattern(first, count):
    return bytes((first + 7 * i) % 256 for i in range(count))


# As sample_tensors() in storage_fixture.cpp: type, shape, bytes.
EXPECTED = {
    "labels": ("U8", [3], pattern(1, 3)),
    "conv1.weight": ("F32", [2, 3], pattern(2, 24)),
    "half": ("F16", [1, 3], pattern(3, 6)),
    "brain": ("BF16", [5], pattern(4, 10)),
    "counts": ("I32", [2, 1, 2], pattern(5, 16)),
    "scalar": ("F32", [], pattern(6, 4)),
    "empty": ("F32", [0, 7], b""),
    "empty bytes": ("U8", [0], b""),
    'a "quote"\\\n é': ("U8", [1], pattern(9, 1)),
}

with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "sample.safetensors"
    subprocess.run([sys.argv[1], path], check=True)
    found = {name: (tensor["dtype"], list(tensor["shape"]), bytes(tensor["data"]))
             for name, tensor in safetensors.deserialize(path.read_bytes())}
    assert found == EXPECTED, f"tensors differ: {found}"
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata = file.metadata()
            assert set(file.keys()) == set(EXPECTED)
    except ImportError:
        print("metadata not checked: numpy is not installed")
    else:
        assert metadata["step"] == "12" and metadata['é "\\\n'] == "", metadata
        assert set(metadata) == {"step", 'é "\\\n', "crc32", "header_crc32"}, metadata
print(f"read by safetensors {safetensors.__version__}: {len(found)} tensors, every byte as written")
