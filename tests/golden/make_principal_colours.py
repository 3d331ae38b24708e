#!/usr/bin/env python3
"""Writes tests/golden/principal_colours.json: of sets of images from tests/data/images the mean, deviation and covariance of all
pixels (0 to 255), and the eigenvalues and eigenvectors (rows, the largest first) of the covariance of pixels from 0 to 1; of
some symmetric matrices the same two. All numpy's: numpy.cov, numpy.linalg.eigh. Run with Pillow and numpy."""
import json
import os

import numpy as np
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
IMAGES = os.path.join(HERE, "..", "data", "images")
SETS = (["rgb.png"], ["rgb.png", "interlaced.png", "palette.png", "resize.png", "grey.png"], ["grey.png", "bits.png"])


def components(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return {"eigenvalues": values[::-1].tolist(), "eigenvectors": vectors.T[::-1].tolist()}


def of_images(names):
    pixels = [np.asarray(Image.open(os.path.join(IMAGES, name)).convert("RGB"), dtype=np.float64).reshape(-1, 3) for name in names]
    pixels = np.concatenate(pixels)
    covariance = np.cov(pixels, rowvar=False, bias=True)
    return {"images": names, "mean": pixels.mean(0).tolist(), "deviation": pixels.std(0).tolist(), "covariance": covariance.tolist(),
            **components(np.cov(pixels / 255, rowvar=False, bias=True))}


def matrices():
    """Of all scales; the last ones with components that are as long as each other, or without length."""
    random = np.random.default_rng(11)
    for scale in (1e-12, 1, 65025, 1e100):
        factor = random.normal(size=(3, 3))
        yield scale * factor @ factor.T
    turned = np.linalg.qr(random.normal(size=(3, 3)))[0]
    for values in ([4, 4 - 1e-9, 1], [1, 1e-8, 1e-16], [2, 2, 1], [3, 0, 0]):
        yield turned @ np.diag(values) @ turned.T
    yield np.full((3, 3), 7.0)
    yield np.diag([1.0, 3.0, 2.0])
    yield np.zeros((3, 3))


if __name__ == "__main__":
    symmetric = [(matrix + matrix.T) / 2 for matrix in matrices()]
    golden = {"sets": [of_images(names) for names in SETS],
              "matrices": [{"matrix": matrix.tolist(), **components(matrix)} for matrix in symmetric]}
    with open(os.path.join(HERE, "principal_colours.json"), "w") as file:
        lines = [f'"{name}": [\n' + ",\n".join(map(json.dumps, cases)) + "\n]" for name, cases in golden.items()]
        file.write("{" + ",\n".join(lines) + "}\n")
