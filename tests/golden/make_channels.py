#!/usr/bin/env python3
"""Writes channels.safetensors: what PyTorch, in double precision, says of the layers that move or cut channels.

Format and inputs as make_layers.py documents them; inputs of different shapes come from 1x1 convolutions in the network
file, which only give the shapes. Run with PyTorch 2.13: make_channels.py
"""
import torch

import make_layers

SHAPES = [((5, 3, 3), 2), ((16, 6, 6), 2), ((17, 5, 3), 1), ((1, 4, 4), 2), ((64, 1, 1), 3), ((33, 1, 1), 2),
          ((48, 2, 7), 2), ((3, 8, 8), 5), ((100, 3, 1), 1), ((1000, 1, 1), 2), ((2, 1, 9), 4)]


def add(row, shapes, batch, compute):
    """`compute` takes the inputs, of `shapes`, to the output."""
    givers = [{"name": f"x{i}", "type": "convolution", "outputs": shape[0], "kernel": 1, "from": "input"}
              for i, shape in enumerate(shapes)]
    make_layers.add({**row, "from": [giver["name"] for giver in givers]}, (1, *shapes[0][1:]), batch, above=givers, shapes=shapes,
                    forward=lambda row, x, p, state, training: compute(*x))


def main():
    for channels, size, batch in [((64, 128, 32, 32), (7, 7), 2), ((16, 16), (6, 6), 2), ((3, 5), (5, 3), 2),
                                  ((17, 16), (4, 4), 1), ((32, 24, 8), (7, 5), 3), ((1, 1, 1), (1, 1), 2),
                                  ((10, 33), (1, 1), 3), ((48, 16), (1, 1), 2), ((96, 7), (3, 9), 1),
                                  ((8, 8), (9, 9), 2), ((20, 50, 2), (2, 3), 5), ((64, 64), (1, 5), 1)]:
        add({"type": "concat"}, [(c, *size) for c in channels], batch, lambda *x: torch.cat(x, 1))

    for shape, batch, first, count in [((5, 3, 3), 2, 1, 3), ((48, 7, 7), 2, 16, 16), ((48, 5, 5), 1, 8, 24),
                                       ((33, 4, 2), 3, 0, 16), ((64, 6, 6), 2, 32, 32), ((17, 1, 1), 4, 16, 1),
                                       ((16, 9, 9), 2, 0, 16), ((32, 1, 1), 2, 16, 16), ((1, 5, 5), 2, 0, 1),
                                       ((20, 3, 7), 5, 19, 1), ((96, 2, 2), 2, 5, 80)]:
        add({"type": "slice", "first": first, "count": count}, [shape], batch, lambda x: x[:, first:first + count])

    for shape, batch in SHAPES:
        add({"type": "flatten"}, [shape], batch, lambda x: x.flatten(1)[:, :, None, None])
        add({"type": "softmax"}, [shape], batch, lambda x: torch.softmax(x, 1))
    make_layers.save("channels.safetensors")


if __name__ == "__main__":
    main()
