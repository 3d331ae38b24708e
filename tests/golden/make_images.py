#!/usr/bin/env python3
"""Writes tests/data/images: small JPEG and PNG files of all kinds, and beside each NAME what Pillow (numpy for what Pillow does
not keep) makes of it, NAME.ppm; a picture resized in several ways. Run with Pillow 10 or later and numpy."""
import os
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "images")
WIDTH, HEIGHT = 37, 29
ORIENTATION = 0x0112


def path(name):
    return os.path.join(FOLDER, name)


def picture(height, width, channels, seed):
    """Slopes, stripes and a little noise, 8 bits."""
    y, x = np.mgrid[0:height, 0:width]
    random = np.random.default_rng(seed)
    planes = []
    for c in range(channels):
        slope = 255 * (x * (c + 1) / width + y * (3 - c % 3) / height) / (c % 3 + 4)
        stripes = 60 * np.sin((x * (c + 2) + 3 * y) / 5.0)
        planes.append(slope + stripes + random.normal(0, 6, (height, width)) + 40)
    return np.clip(np.stack(planes, 2), 0, 255).astype(np.uint8)


def write_expected(name, rgb):
    Image.fromarray(np.asarray(rgb, dtype=np.uint8)).save(path(name + ".ppm"))


def over_white(image):
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, (255, 255, 255, 255)), image).convert("RGB")


def by_pillow(name, turn=False):
    with Image.open(path(name)) as image:
        if turn:
            image = ImageOps.exif_transpose(image)
        has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
        write_expected(name, over_white(image) if has_alpha else image.convert("RGB"))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_png(name, bits, colour, rows, interlace=0, more=b""):
    """A PNG file of rows as they are; each has its filter byte, 0."""
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, colour, 0, 0, interlace)
    with open(path(name), "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + more + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def adam7(pixels):
    rows = b""
    for y0, x0, dy, dx in ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)):
        part = pixels[y0::dy, x0::dx]
        if part.size:
            rows += b"".join(b"\0" + row.tobytes() for row in part)
    return rows


def jpegs():
    rgb = Image.fromarray(picture(HEIGHT, WIDTH, 3, 1))
    for name, subsampling in (("444", 0), ("422", 1), ("420", 2)):
        rgb.save(path(f"rgb{name}.jpg"), quality=90, subsampling=subsampling)
        by_pillow(f"rgb{name}.jpg")
    rgb.save(path("progressive.jpg"), quality=85, progressive=True)
    by_pillow("progressive.jpg")
    rgb.convert("L").save(path("grey.jpg"), quality=90)
    by_pillow("grey.jpg")
    Image.fromarray(picture(HEIGHT, WIDTH, 4, 2), "CMYK").save(path("cmyk.jpg"), quality=95)
    by_pillow("cmyk.jpg")
    # The same with the colour transform of Adobe's marker set to 2: the numbers are then Y, Cb, Cr, K.
    data = bytearray(open(path("cmyk.jpg"), "rb").read())
    at = data.index(b"Adobe")
    assert data[at + 11] == 0
    data[at + 11] = 2
    open(path("ycck.jpg"), "wb").write(data)
    by_pillow("ycck.jpg")
    for value in range(1, 9):
        exif = Image.Exif()
        exif[ORIENTATION] = value
        rgb.save(path(f"turned{value}.jpg"), quality=90, subsampling=2 if value % 2 else 0, exif=exif)
        by_pillow(f"turned{value}.jpg", turn=True)


def pngs():
    pixels = picture(HEIGHT, WIDTH, 4, 3)
    rgb = Image.fromarray(pixels[:, :, :3].copy())
    rgb.save(path("rgb.png"))
    rgb.convert("L").save(path("grey.png"))
    rgb.convert("1").save(path("bits.png"))
    rgb.quantize(13).save(path("palette.png"))
    palette = rgb.quantize(13)
    palette.save(path("palette_alpha.png"), transparency=bytes([0, 30, 200] + [255] * 10))
    Image.fromarray(pixels).save(path("rgba.png"))
    Image.fromarray(pixels[:, :, [0, 3]].copy(), "LA").save(path("grey_alpha.png"))
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    rgb.save(path("turned.png"), exif=exif)
    for name in ("rgb", "grey", "bits", "palette", "palette_alpha", "rgba", "grey_alpha"):
        by_pillow(name + ".png")
    by_pillow("turned.png", turn=True)
    write_png("interlaced.png", 8, 2, adam7(pixels[:, :, :3].copy()), 1)
    by_pillow("interlaced.png")
    # 16 bits, which Pillow cuts to 8 or keeps as they are: rounded.
    deep = np.random.default_rng(4).integers(0, 65536, (HEIGHT, WIDTH, 3)).astype(">u2")
    write_png("rgb16.png", 16, 2, b"".join(b"\0" + row.tobytes() for row in deep))
    write_expected("rgb16.png", (deep.astype(np.int64) + 128) // 257)
    write_png("grey16.png", 16, 0, b"".join(b"\0" + row.tobytes() for row in deep[:, :, 0].copy()))
    write_expected("grey16.png", np.repeat((deep[:, :, :1].astype(np.int64) + 128) // 257, 3, 2))


def covered(length, start, size, outputs):
    """Shares that outputs × length input pixels have in the area of each output pixel."""
    low = start + np.arange(outputs)[:, None] * size / outputs
    x = np.arange(length)[None, :]
    return np.clip(np.minimum(x + 1, low + size / outputs) - np.maximum(x, low), 0, None) / (size / outputs)


def resized():
    pixels = picture(47, 61, 3, 5)
    image = Image.fromarray(pixels)
    image.save(path("resize.png"))
    # Boxes (left, top, right, bottom) and sizes (width, height): in the order of resample_test.cpp.
    for i, (box, size) in enumerate((((0, 0, 61, 47), (24, 24)), ((0, 0, 61, 47), (8, 5)), ((0, 0, 61, 47), (100, 90)),
                                     ((5, 3, 45, 40), (32, 32)), ((50, 40, 61, 47), (30, 20)), ((0, 0, 61, 47), (61, 47)),
                                     ((10, 10, 11, 11), (7, 7)), ((0, 0, 61, 1), (9, 9)))):
        image.crop(box).resize(size, Image.Resampling.BILINEAR).save(path(f"resize{i}.ppm"))
    # torchvision's Resize(32) and CenterCrop(24), of the picture lying and standing.
    for name, one in (("lying", image), ("standing", image.transpose(Image.Transpose.ROTATE_90))):
        shorter = 32
        width, height = one.size
        size = (int(shorter * width / height), shorter) if width > height else (shorter, int(shorter * height / width))
        one = one.resize(size, Image.Resampling.BILINEAR)
        left, top = int(round((size[0] - 24) / 2.0)), int(round((size[1] - 24) / 2.0))
        one.crop((left, top, left + 24, top + 24)).save(path(f"centre_{name}.ppm"))
        # FiveCrop(24) and the five mirrored, one below the other.
        right, bottom = size[0] - 24, size[1] - 24
        five = [one.crop((x, y, x + 24, y + 24)) for x, y in ((0, 0), (right, 0), (0, bottom), (right, bottom), (left, top))]
        ten = five + [crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for crop in five]
        write_expected(f"ten_{name}", np.concatenate([np.asarray(crop) for crop in ten]))
    rows, columns = covered(47, 2.5, 40.0, 13), covered(61, 1.25, 50.5, 17)
    write_expected("area", np.floor(np.einsum("yh,xw,hwc->yxc", rows, columns, pixels.astype(np.float64)) + 0.5))


if __name__ == "__main__":
    os.makedirs(FOLDER, exist_ok=True)
    jpegs()
    pngs()
    resized()
    print(sum(os.path.getsize(path(name)) for name in os.listdir(FOLDER)), "bytes in", len(os.listdir(FOLDER)), "files")
