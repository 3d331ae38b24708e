#!/usr/bin/env python3
"""Makes reference.safetensors with the reference writer (pip install safetensors; made with 0.8.0)."""
import ctypes
import pathlib

import safetensors

TENSORS = {  # type, shape, bytes of an element; byte i of a tensor is first + 7 i
    "weight": ("float32", [2, 3], 4, 1),
    "half": ("float16", [5], 2, 2),
    "brain": ("bfloat16", [1, 2, 1], 2, 3),
    "bytes": ("uint8", [3], 1, 4),
    "counts": ("int32", [2], 4, 5),
    "scalar": ("float32", [], 4, 6),
    "empty": ("float32", [0, 4], 4, 7),
    "num_batches_tracked": ("int64", [], 8, 8),
    "running": ("float64", [2], 8, 9),
}


def content(shape, element, first):
    count = element
    for dim in shape:
        count *= dim
    return bytes((first + 7 * i) % 256 for i in range(count))


contents = {name: ctypes.create_string_buffer(data, max(len(data), 1))
            for name, (_, shape, element, first) in TENSORS.items()
            for data in [content(shape, element, first)]}
safetensors.serialize_file(
    {name: safetensors.TensorSpec(dtype=dtype, shape=shape, data_ptr=ctypes.addressof(contents[name]),
                                  data_len=len(content(shape, element, first)))
     for name, (dtype, shape, element, first) in TENSORS.items()},
    str(pathlib.Path(__file__).with_name("reference.safetensors")),
    {"framework": "reference", "é": '"\\\n'})
