#!/usr/bin/env bash
# Makes a virtual environment with PyTorch from PyPI (several GB with its CUDA packages) and runs compare.py in it.
#   tests/bench/compare.sh [arguments of compare.py]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
environment=${CONVOY_TORCH_ENV:-$HOME/.cache/convoy-torch}
if [[ ! -x $environment/bin/python ]] || ! "$environment/bin/python" -c 'import torch, torchvision' 2>/dev/null; then
  python3 -m venv "$environment"
  "$environment/bin/pip" install -q numpy torch==2.13.0 torchvision
fi
if [[ ! -x $here/../../build/tests/bench/train_step ]]; then
  cmake --preset release -S "$here/../.." -DCONVOY_TESTS=ON
  cmake --build "$here/../../build" --target train_step
fi
exec "$environment/bin/python" "$here/compare.py" "$@"
