"""The form of files of golden values, layer by layer, and what all generators of them share; needs no PyTorch.

Inputs are not stored: they are hashed_values.h's numbers, made here by the same formula. Of each result the file holds
[norm, four projections on hashed vectors, values], all values of a small result and 256 of them at hashed places of a
large one; the projections catch an error at any other place. Metadata: "NNN.network" (a network file of one layer),
"NNN.batch", "NNN.training", and where set "NNN.step" (inputs are rounded to its multiples) and "NNN.gradients" ("false":
the file has none).
"""
import os

import numpy as np
from safetensors.numpy import save_file

SAMPLES = 256


def mix(x):
    x = np.asarray(x, dtype=np.uint32)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def hashed(seed, shape):
    """Numbers in [-1, 1) as hashed_values.h makes them."""
    count = int(np.prod(shape))
    start = np.uint32((seed * 0x9E3779B9) & 0xFFFFFFFF)
    with np.errstate(over="ignore"):
        words = mix(np.arange(count, dtype=np.uint32) + start)
    return ((words >> np.uint32(8)).astype(np.float64) * 2.0**-23 - 1.0).reshape(shape)


def digest(values):
    x = np.asarray(values, dtype=np.float64).reshape(-1)
    head = [np.linalg.norm(x)] + [np.dot(x, hashed(1000 + k, x.shape)) for k in range(4)]
    places = np.arange(x.size) if x.size <= SAMPLES else mix(np.arange(SAMPLES, dtype=np.uint32)) % np.uint32(x.size)
    return np.concatenate([head, x[places]]).astype(np.float32)


def toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + " }"
    return repr(value)


def pair(value):
    return tuple(value) if isinstance(value, (list, tuple)) else (value, value)


TENSORS, METADATA = {}, {}


def cases():
    return sum(name.endswith(".network") for name in METADATA)


def begin_case(rows, shape, batch, training, step=0.0):
    """Describes a case and gives its key: a network of `rows` on images of `shape` (channels, height, width), of which the
    last is under test."""
    key = f"{cases():03d}"
    channels, height, width = shape
    text = " }, { ".join(", ".join(f"{k} = {toml(v)}" for k, v in r.items()) for r in rows)
    METADATA[key + ".network"] = (f'name = "golden"\ninput = {{ channels = {channels}, height = {height}, '
                                  f"width = {width} }}\nlayers = [ {{ {text} }} ]\n")
    METADATA[key + ".batch"] = str(batch)
    METADATA[key + ".training"] = toml(training)
    if step > 0:
        METADATA[key + ".step"] = repr(step)
    return key


def save(name):
    """Writes the cases added so far beside this file."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    save_file(TENSORS, path, METADATA)
    print(f"{cases()} cases, {os.path.getsize(path)} bytes")
