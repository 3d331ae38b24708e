"""Decoding against torchvision, and tf.data where it is installed: the same files, in turn, in one run.

    tests/bench/compare_decode.py build/tests/bench/decode_bench [--rounds 9] [--files /tmp/photographs]

One thread each; images a second of the cores' work, which other programs on the machine change less than the
time that passes. torchvision: its own decoder (libjpeg-turbo), then RandomResizedCrop with antialiasing and a flip, on tensors. tf.data:
tf.image.decode_and_crop_jpeg of the random part, resize, flip. Prints medians of images a second and ratios."""

import argparse
import json
import pathlib
import statistics
import subprocess
import time

import torch
from torchvision.io import ImageReadMode, decode_jpeg
from torchvision.transforms import v2

torch.set_num_threads(1)


def torchvision_ways(files):
    data = [torch.frombuffer(bytearray(file.read_bytes()), dtype=torch.uint8) for file in files]
    augment = v2.Compose([v2.RandomResizedCrop(224, antialias=True), v2.RandomHorizontalFlip()])

    def decode():
        for bytes_ in data:
            decode_jpeg(bytes_, mode=ImageReadMode.RGB)

    def prepare():
        for bytes_ in data:
            augment(decode_jpeg(bytes_, mode=ImageReadMode.RGB))

    return {"torchvision, decode": decode, "torchvision, decode, random resized crop, flip": prepare}


def tensorflow_ways(files):
    try:
        import tensorflow as tf
    except ImportError:
        return {}
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1

    def crop(file):
        size = tf.image.extract_jpeg_shape(file)
        box = tf.zeros([1, 0, 4])
        begin, extent, _ = tf.image.sample_distorted_bounding_box(
            size, box, area_range=[0.08, 1], aspect_ratio_range=[0.75, 4 / 3], max_attempts=10,
            use_image_if_no_bounding_boxes=True)
        window = tf.stack([begin[0], begin[1], extent[0], extent[1]])
        image = tf.image.decode_and_crop_jpeg(file, window, channels=3)
        return tf.cast(tf.image.random_flip_left_right(tf.image.resize(image, [224, 224], antialias=True)), tf.uint8)

    contents = [file.read_bytes() for file in files]
    set_ = tf.data.Dataset.from_tensor_slices(contents).map(crop).with_options(options)

    def prepare():
        for _ in set_:
            pass

    return {"tf.data, decode and crop, resize, flip": prepare}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bench")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--files", default="/tmp/photographs")
    arguments = parser.parse_args()
    ours = [arguments.bench, "1", "--json", "--files", arguments.files]
    subprocess.run(ours, check=True, capture_output=True)  # makes the files
    files = sorted(pathlib.Path(arguments.files).glob("*.jpg"))
    ways = torchvision_ways(files) | tensorflow_ways(files)
    for take in ways.values():
        take()
    rates = {}
    for _ in range(arguments.rounds):
        for name, rate in json.loads(subprocess.run(ours, check=True, capture_output=True).stdout).items():
            rates.setdefault(name, []).append(rate)
        for name, take in ways.items():
            start = time.process_time()
            take()
            rates.setdefault(name, []).append(len(files) / (time.process_time() - start))
    print(f"images a second of the cores' work, median of {arguments.rounds} rounds (spread)")
    for name, values in rates.items():
        if name.endswith(", elapsed"):
            continue
        print(f"  {name:<48}{statistics.median(values):8.0f}  ({min(values):.0f} to {max(values):.0f})")
    pairs = [("decode", "libjpeg-turbo, plainly"), ("decode", "torchvision, decode"),
             ("decode crop, random resized crop, flip", "torchvision, decode, random resized crop, flip"),
             ("decode crop, random resized crop, flip", "tf.data, decode and crop, resize, flip"),
             ("decode crop, random resized crop, flip", "libjpeg-turbo, plainly"),
             ("libjpeg-turbo, plainly, 2 processes", "libjpeg-turbo, plainly"),
             ("loader, JPEG shard, 2 threads", "loader, JPEG shard, 1 thread"),
             ("loader, JPEG shard, 2 threads, elapsed", "loader, JPEG shard, 1 thread, elapsed"),
             ("libjpeg-turbo, plainly, 2 processes, elapsed", "libjpeg-turbo, plainly, elapsed"),
             ("loader, raw shard, 2 threads", "loader, raw shard, 1 thread")]
    for one, other in pairs:
        if other in rates:
            ratios = [a / b for a, b in zip(rates[one], rates[other])]
            print(f"  {one} / {other}: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
