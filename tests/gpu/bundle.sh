#!/usr/bin/env bash
# Collects what the GPU tests need on a machine that has a driver, the CUDA toolkit and cuDNN, and nothing of this build's
# other packages: programs, the Debian libraries they were linked with, networks, jobs and golden values.
#   tests/gpu/bundle.sh FOLDER [BUILD]      BUILD: build
# There: FOLDER/tests/gpu/run.sh
set -euo pipefail
source_folder="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
target="${1:?usage: tests/gpu/bundle.sh FOLDER [BUILD]}"
build="${2:-$source_folder/build}"

programs=(convoy tests/gpu/gpu_layers_test tests/gpu/gpu_nccl_test tests/gpu/gpu_training_on_gpu_test tests/bench/train_step)
[[ -e "$build/convoy" ]] || { echo "bundle.sh: $build has no convoy; build it first" >&2; exit 1; }
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
libraries="$work/lib"
mkdir -p "$libraries" "$work/build/tests/gpu" "$work/build/tests/bench" "$target/tests/gpu" "$target/tests/bench"
for program in "${programs[@]}"; do
  [[ -e "$build/$program" ]] || continue
  cp "$build/$program" "$work/build/$program"
  strip --strip-unneeded "$work/build/$program"
  # CUDA's own libraries, the driver's and the C library are the other machine's.
  ldd "$build/$program" | awk '$3 ~ /^\// {print $3}' |
    grep -vE '/(libcuda|libcudnn|libcublas|libnccl|libnvrtc|libc\.so|libm\.so|libpthread|libdl|librt|ld-linux)' |
    xargs -r cp -Lu --target-directory "$libraries"
done
# And that as well, for a machine whose own is older.
mkdir "$work/libc"
cp -L /lib64/ld-linux-x86-64.so.2 "$work/libc/"
ldd "$build/convoy" | awk '$3 ~ /\/lib(c|m)\.so/ {print $3}' | xargs cp -Lt "$work/libc"
tar -C "$work/libc" -czf "$target/libc.tar.gz" .
tar -C "$libraries" -czf "$target/lib.tar.gz" .  # run.sh unpacks all
tar -C "$work" -czf "$target/build.tar.gz" build
rm -rf "$target/build"  # of a bundle that was here
cp -r "$source_folder/configs" "$target/"
mkdir -p "$target/tests/golden"
cp "$source_folder"/tests/golden/*.safetensors "$target/tests/golden/"
cp "$source_folder"/tests/gpu/{run.sh,compare.py,torch_step.py} "$target/tests/gpu/"
cp "$source_folder/tests/bench/torch_networks.py" "$target/tests/bench/"
size=$(du -sm "$target" | cut -f1)
echo "$target: $size MiB"
if (( size >= 60 )); then
  echo "bundle.sh: more than 60 MiB" >&2
  exit 1
fi
