#!/usr/bin/env bash
# Debian's openclipart-png (public domain) as train/CLASS/ and val/CLASS/ below DIR: 6,900 pictures in 22 classes. 1,221 more
# names are links to pictures in other folders; they are left out, so that no picture is in both.
#   launch/get-openclipart.sh DIR
# One picture in five is for validation: where the bytes b of its path give a hash = hash * 31 + b (mod 1,000,003) that five
# divides. So the split is the same everywhere. Needs apt-get with package lists, and no root.
set -euo pipefail
if [[ $# -ne 1 ]]; then
  echo "usage: launch/get-openclipart.sh DIR" >&2
  exit 2
fi
mkdir -p "$1"
target=$(cd "$1" && pwd)
if [[ -e "$target/train" || -e "$target/val" ]]; then
  echo "get-openclipart.sh: $target has a folder train or val already; remove it, or name another folder" >&2
  exit 2
fi

work=$(mktemp -d "$target/unpack.XXXXXX")
trap 'rm -rf "$work"' EXIT
source=/usr/share/openclipart/png
if [[ ! -d $source ]]; then
  chmod 755 "$work"
  if ! (cd "$work" && apt-get -qq download openclipart-png >/dev/null 2>"$work/errors"); then
    if [[ $(id -u) -eq 0 ]]; then
      apt-get -qq update && (cd "$work" && apt-get -qq download openclipart-png >/dev/null)
    else
      cat "$work/errors" >&2
      echo "get-openclipart.sh: apt-get cannot download openclipart-png; are its package lists there (apt-get update)?" >&2
      exit 1
    fi
  fi
  dpkg-deb -x "$work"/openclipart-png_*.deb "$work/package"
  source=$work/package/usr/share/openclipart/png
fi

cd "$source"
find . -mindepth 2 -type f -iname '*.png' -printf '%P\n' | LC_ALL=C sort >"$work/paths"
LC_ALL=C awk -v train="$work/train" -v val="$work/val" '
  BEGIN { for (i = 1; i < 256; ++i) code[sprintf("%c", i)] = i }
  {
    hash = 0
    for (i = 1; i <= length($0); ++i) hash = (hash * 31 + code[substr($0, i, 1)]) % 1000003
    print >(hash % 5 == 0 ? val : train)
  }' "$work/paths"
for split in train val; do
  mkdir -p "$target/$split.part"
  tar -c --no-recursion -T "$work/$split" | tar -x -C "$target/$split.part"
  mv "$target/$split.part" "$target/$split"
  echo "$target/$split: $(wc -l <"$work/$split") pictures in $(ls "$target/$split" | wc -l) classes"
done
