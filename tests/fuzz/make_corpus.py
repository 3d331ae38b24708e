"""Writes the first inputs of the fuzzers, small ones of every kind that the parsers know.

    tests/fuzz/make_corpus.py CONVOY       # CONVOY: the built program, which writes the index files

Needs Pillow; the results are committed."""

import io
import pathlib
import subprocess
import sys
import tarfile
import tempfile

from PIL import Image

CORPUS = pathlib.Path(__file__).parent / "corpus"


def picture(mode="RGB"):
    image = Image.new("RGB", (17, 11))
    image.putdata([((x * 13) % 256, (y * 23) % 256, (x * y) % 256) for y in range(11) for x in range(17)])
    return image.convert(mode)


def encoded(image, kind, **settings):
    out = io.BytesIO()
    image.save(out, kind, **settings)
    return out.getvalue()


def write(target, name, content):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def tar(members, form, links=()):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name in links:
            info = tarfile.TarInfo(name)
            info.type = tarfile.SYMTYPE
            info.linkname = "x"
            archive.addfile(info)
    return out.getvalue().rstrip(b"\0") + bytes(1536)


def tars():
    numbered = [("1.jpg", b"x" * 9), ("1.cls", b"3"), ("2.png", b"y"), ("2.cls", b" 12\n"), ("2.json", b"{}")]
    folders = [("ape/1.jpg", b"x"), ("./bee/2.JPEG", b"y"), ("bee/x/3.ppm", b"z")]
    long = [("d" * 90 + "/" + "e" * 120 + ".jpg", b"x"), ("d" * 90 + "/" + "e" * 120 + ".cls", b"1"), ("\u00e4.jpg", b"")]
    for form, word in ((tarfile.USTAR_FORMAT, "ustar"), (tarfile.GNU_FORMAT, "gnu"), (tarfile.PAX_FORMAT, "pax")):
        write("tar", f"numbered-{word}", tar(numbered, form))
        write("tar", f"folders-{word}", tar(folders, form, ["link.jpg"]))
        if form != tarfile.USTAR_FORMAT:
            write("tar", f"long-{word}", tar(long, form))


def images():
    exif = Image.Exif()
    exif[0x0112] = 6
    write("image", "rgb.jpg", encoded(picture(), "JPEG"))
    write("image", "turned.jpg", encoded(picture(), "JPEG", exif=exif))
    write("image", "progressive.jpg", encoded(picture(), "JPEG", progressive=True))
    write("image", "grey.jpg", encoded(picture("L"), "JPEG"))
    write("image", "cmyk.jpg", encoded(picture("CMYK"), "JPEG"))
    write("image", "444.jpg", encoded(picture(), "JPEG", subsampling=0))
    write("image", "rgb.png", encoded(picture(), "PNG"))
    write("image", "alpha.png", encoded(picture("RGBA"), "PNG", exif=exif))
    write("image", "palette.png", encoded(picture("P"), "PNG", transparency=3))
    deep = Image.new("I;16", (17, 11))
    deep.putdata([(x * 977 + y * 3001) % 65536 for y in range(11) for x in range(17)])
    write("image", "grey16.png", encoded(deep, "PNG"))
    write("image", "bits.png", encoded(picture("1"), "PNG"))
    write("image", "rgb.ppm", encoded(picture(), "PPM"))


def lists():
    write("list", "plain", b"a/1.jpg 0\nb/2.jpg 1\n")
    write("list", "spaces", b"  with space.png\t7 \r\n\n/abs/x.jpg   3")
    write("list", "last", b"x 1048575")
    write("list", "wrong", b"x.jpg 1\ny.jpg -1\n")
    write("list", "words", b"a.jpg cat\n")


def indices(program):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name in ("a/1.jpg", "a/2.png", "b c/3.jpg", "b c/d/4.jpg"):
            (root / "set" / name).parent.mkdir(parents=True, exist_ok=True)
            (root / "set" / name).write_bytes(b"x")
        for name in ("one", "two"):
            (root / f"{name}-0.tar").write_bytes((CORPUS / "tar" / ("numbered-ustar" if name == "one" else "folders-gnu")).read_bytes())
        (root / "many").mkdir()
        for i in range(40):
            (root / "many" / f"c{i % 5}").mkdir(exist_ok=True)
            (root / "many" / f"c{i % 5}" / f"{i}.jpg").write_bytes(b"x" * i)
        (root / "empty" / "none").mkdir(parents=True)
        for what in ("set", "many", "empty", "one-0.tar", "two-0.tar"):
            subprocess.run([program, "data", "index", root / what], check=True, stdout=subprocess.DEVNULL)
        for file in sorted(root.glob("*-index")):
            write("index", file.name.split(".")[0], file.read_bytes())


tars()
images()
lists()
indices(sys.argv[1])
