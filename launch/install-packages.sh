#!/usr/bin/env bash
# Installs what Convoy needs on Debian 12 from Debian's packages, as root or with sudo; does nothing when all is there.
#   launch/install-packages.sh [--tests]      --tests: also what the tests need
set -euo pipefail

packages=(
  g++ cmake ninja-build ccache          # build
  libdnnl-dev                           # oneDNN: kernels on the processor
  libopenmpi-dev openmpi-bin            # ranks
  libboost1.81-dev libboost-program-options1.81-dev libboost-json1.81-dev
  libtomlplusplus-dev libfmt-dev zlib1g-dev
  libjpeg62-turbo-dev libpng-dev        # images
  dataset-fashion-mnist                 # the data of the first job
)
if [[ "${1:-}" == "--tests" ]]; then
  packages+=(libgtest-dev libgmock-dev libmpich-dev mpich clang-format-14 procps)
fi

missing=()
for package in "${packages[@]}"; do
  if ! dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed'; then
    missing+=("$package")
  fi
done
if [[ ${#missing[@]} -eq 0 ]]; then
  exit 0
fi

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  if ! command -v sudo >/dev/null; then
    echo "install-packages.sh: these Debian packages are missing, and there is neither root nor sudo to install them:" >&2
    echo "  ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "installing Debian packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get -qq update
"${as_root[@]}" apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
