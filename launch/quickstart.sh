#!/usr/bin/env bash
# From a bare Debian 12 machine to a trained network: installs packages, builds, and trains a small convolutional network
# on Fashion-MNIST with two data-parallel workers. Can be run again: what is there is used, and a finished run is kept.
#   launch/quickstart.sh [RUN_DIR]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
run_dir=${1:-runs/quickstart}

launch/install-packages.sh
source launch/mpi-environment.sh
[[ -e build/CMakeCache.txt ]] || unity=-DCONVOY_UNITY=ON  # who builds once compiles several files at a time
cmake --preset release -DCONVOY_TESTS=OFF ${unity:-} >build-quickstart.log 2>&1 || { cat build-quickstart.log >&2; exit 1; }
echo "building (log: build-quickstart.log)"
cmake --build --preset release --target convoy >>build-quickstart.log 2>&1 || { tail -50 build-quickstart.log >&2; exit 1; }
rm -f build-quickstart.log

echo "mpirun -n 2 build/convoy train configs/jobs/fashion-mnist.toml --run-dir $run_dir"
mpirun.openmpi -n 2 build/convoy train configs/jobs/fashion-mnist.toml --run-dir "$run_dir"
