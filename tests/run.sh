#!/usr/bin/env bash
# Installs what is missing, builds, and runs all tests.
#   tests/run.sh            release build with Open MPI, and the MPI tests again with MPICH
#   tests/run.sh --all      also those labelled heavy (training the networks of ImageNet size, 3 GiB of memory), and all under
#                           AddressSanitizer, UBSan and ThreadSanitizer (about an hour on two cores)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

launch/install-packages.sh --tests
source launch/mpi-environment.sh

check() {  # PRESET "TARGETS" CTEST-ARGUMENTS...
  local preset=$1 targets=$2 unity=()
  shift 2
  echo "== $preset"
  # A fresh build, in which no file is edited. One that is there stays as it is.
  if [[ $preset == release && ! -e build/CMakeCache.txt || $preset == mpich && ! -e build-mpich/CMakeCache.txt ]]; then
    unity=(-DCONVOY_UNITY=ON)
  fi
  cmake --preset "$preset" -DCONVOY_TESTS=ON "${unity[@]}" >/dev/null
  # shellcheck disable=SC2086
  cmake --build --preset "$preset" --target $targets
  ctest --preset "$preset" "$@"
}

echo "== format"
find layers comm trainer launch tests \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' \) -print0 | xargs -0 clang-format-14 --dry-run --Werror

check release all -j3 -LE heavy  # three: some tests wait for what they started
check mpich "mpi_collectives mpi_lost_ranks mpi_all_reduce_bench" -L mpi
if [[ "${1:-}" == "--all" ]]; then
  ctest --preset release -L heavy
  check mpich "convoy mpi_collectives" -L mpi  # the whole program with MPICH, and without CUDA
  check asan all -LE 'mpi|end_to_end|heavy'
  check ubsan all -LE 'mpi|end_to_end|heavy'
  OMP_NUM_THREADS=1 TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp" check tsan all -L threads
fi
