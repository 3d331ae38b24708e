#!/usr/bin/env python3
"""Writes tests/data/images/colours.ppm: squares of random colours, and below them what changes of colour make of them, each in
the order and with the factors of tests/trainer/data/colour_test.cpp. Brightness, contrast and saturation are Pillow's
(torchvision's ColorJitter on its images), hue is torchvision's of tensors; then each change alone by torchvision.transforms.v2
of tensors of 8 bits. Run with Pillow, numpy and torchvision."""
import os

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import functional as F
from torchvision.transforms.v2 import functional as V2

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "images", "colours.ppm")
SIDE = 24


def colours():
    """All kinds: pale and strong ones, greys, black, white, the corners of the cube."""
    random = np.random.default_rng(7)
    pixels = random.integers(0, 256, (SIDE * SIDE, 3))
    pixels[:64] = random.integers(0, 256, (64, 1))
    pixels[64:128] = 100 + random.integers(0, 12, (64, 3))
    corners = np.array([[r, g, b] for r in (0, 255) for g in (0, 255) for b in (0, 255)])
    pixels[128:136] = corners
    return Image.fromarray(pixels.reshape(SIDE, SIDE, 3).astype(np.uint8))


def hue(image, turn):
    tensor = torch.from_numpy(np.array(image)).permute(2, 0, 1)
    return Image.fromarray(F.adjust_hue(tensor, turn).permute(1, 2, 0).numpy())


def changed(image, changes):
    functions = {"b": F.adjust_brightness, "c": F.adjust_contrast, "s": F.adjust_saturation, "h": hue}
    for name, amount in changes:
        image = functions[name](image, float(np.float32(amount)))
    return image


def changed_tensor(image, name, amount):
    functions = {"b": V2.adjust_brightness, "c": V2.adjust_contrast, "s": V2.adjust_saturation, "h": V2.adjust_hue}
    tensor = torch.from_numpy(np.array(image)).permute(2, 0, 1)
    return functions[name](tensor, float(np.float32(amount))).permute(1, 2, 0).numpy()


CHANGES = ([("b", 0.6)], [("b", 1.45)], [("c", 0.3)], [("c", 1.9)], [("s", 0.0)], [("s", 0.55)], [("s", 1.8)], [("h", -0.3)],
           [("h", 0.07)], [("h", 0.5)], [("b", 1.3), ("c", 0.7), ("s", 1.5)], [("s", 0.6), ("c", 1.4), ("b", 0.8)],
           [("c", 0.8), ("s", 1.2), ("b", 1.1), ("h", 0.2)])

if __name__ == "__main__":
    image = colours()
    rows = [np.asarray(image)] + [np.asarray(changed(image, changes)) for changes in CHANGES]
    rows += [changed_tensor(image, *changes[0]) for changes in CHANGES if len(changes) == 1]
    Image.fromarray(np.concatenate(rows)).save(PATH)
    print(os.path.getsize(PATH), "bytes")
