#!/usr/bin/env bash
# Installs what is missing, builds, and runs all tests.
#   tests/run.sh            release build with Open MPI, and the MPI tests again with MPICH
#   tests/run.sh --all      also under AddressSanitizer, UBSan and ThreadSanitizer (about an hour on two cores)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

launch/install-packages.sh --tests
source launch/mpi-environment.sh

check() {  # PRESET CTEST-ARGUMENTS...
  local preset=$1
  shift
  echo "== $preset"
  cmake --preset "$preset" -DCONVOY_TESTS=ON >/dev/null
  cmake --build --preset "$preset"
  ctest --preset "$preset" "$@"
}

echo "== format"
find layers comm trainer launch tests \( -name '*.h' -o -name '*.cpp' \) -print0 | xargs -0 clang-format-14 --dry-run --Werror

check release
check mpich -L mpi
if [[ "${1:-}" == "--all" ]]; then
  check asan -LE 'slow|mpi'
  check ubsan -LE 'slow|mpi'
  OMP_NUM_THREADS=1 TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp" check tsan -L threads
fi
