#!/usr/bin/env bash
# Runs all that needs a GPU, of a build or of a bundle (bundle.sh), in the order of its value, and writes RESULT, one JSON object,
# and a table. After each part RESULT is written, and a part begins only where time is left for it, so that a machine that is lent
# for a while gives what it can. A test that ends its program, hangs, or leaves the GPU failed costs itself alone.
#   tests/gpu/run.sh [--seconds N] [--parts PART,...] [--python PYTHON] [RESULT]
#     --seconds  for all of it (3600)
#     --parts    these alone, in this order: layers resnet50 training nccl comparison memcheck racecheck networks sanitizer
#     --python   an interpreter with PyTorch, to compare with (python3)
#     RESULT     gpu-results.json; what programs said is in RESULT with .log as its end, the comparison with PyTorch alone in
#                RESULT with .benchmarks before its end
# shellcheck disable=SC2317  # parts are called by name
set -uo pipefail
folder="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
all=(layers resnet50 training nccl comparison memcheck racecheck networks sanitizer)
parts=("${all[@]}")
seconds=3600
python=python3
result=gpu-results.json
while (( $# > 0 )); do
  case $1 in
    --seconds | --python | --parts)
      [[ $# -ge 2 ]] || { echo "run.sh: $1 needs a value" >&2; exit 2; }
      case $1 in
        --seconds) seconds=$2 ;;
        --python) python=$2 ;;
        --parts) IFS=, read -ra parts <<<"$2" ;;
      esac
      shift 2 ;;
    -*) echo "run.sh: unknown option $1; --seconds N, --parts PART,..., --python PYTHON" >&2; exit 2 ;;
    *) result=$1; shift ;;
  esac
done
[[ $seconds =~ ^[0-9]+$ ]] || { echo "run.sh: --seconds $seconds is no number" >&2; exit 2; }
for part in "${parts[@]}"; do
  [[ " ${all[*]} " == *" $part "* ]] || { echo "run.sh: there is no part \"$part\"; ${all[*]}" >&2; exit 2; }
done
end=$(( $(date +%s) + seconds ))
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# cuDNN, cuBLAS and NCCL may be there for PyTorch alone, among the packages of its Python.
folders_of_packages() {
  "$python" - 2>/dev/null <<'END'
import importlib.util
import pathlib
spec = importlib.util.find_spec("nvidia")
roots = spec.submodule_search_locations if spec else []
names = ("libcudnn.so.*", "libcublasLt.so.*", "libnccl.so.*")
print(":".join(sorted({str(file.parent) for root in roots for name in names for file in pathlib.Path(root).glob(f"*/lib/{name}")})))
END
}
environment=(env)  # of our programs; PyTorch must not get a bundle's libraries
if [[ -e "$folder/lib.tar.gz" ]]; then
  # Of a bundle. The machine's own libraries come first: they fit its driver.
  tar -C "$folder" -xzf "$folder/build.tar.gz"
  mkdir "$work/lib"
  tar -C "$work/lib" -xzf "$folder/lib.tar.gz"
  packages=$(folders_of_packages)
  export CONVOY_LIBRARY_PATH="/usr/local/cuda/lib64:${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}${packages:+$packages:}$work/lib"
  environment+=("LD_LIBRARY_PATH=$CONVOY_LIBRARY_PATH")
  if ! "${environment[@]}" "$folder/build/convoy" --version >/dev/null; then
    echo "The machine's C library is not enough; the bundle's takes its place, with which the sanitizer cannot work."
    mkdir "$work/libc"
    tar -C "$work/libc" -xzf "$folder/libc.tar.gz"
    for program in "$folder"/build/convoy "$folder"/build/tests/*/*; do
      mv "$program" "$program.bin"
      # With the variable set Convoy does not start itself again, which would be the loader.
      printf '#!/bin/sh\nexport GOMP_SPINCOUNT=3000\nexec "%s" --library-path "%s" "%s" "$@"\n' \
        "$work/libc/ld-linux-x86-64.so.2" "$work/libc:$CONVOY_LIBRARY_PATH" "$program.bin" >"$program"
      chmod +x "$program"
    done
  fi
fi
export CONVOY_TEST_SOURCE="$folder"
# What was measured of kernels stays with this run.
export CONVOY_CACHE="${CONVOY_CACHE:-$work/cache}"

"${environment[@]}" "$folder/build/convoy" devices --json >"$work/devices.json" ||
  { echo "run.sh: convoy does not start here" >&2; exit 1; }
if ! grep -q '"kind":"cuda"' "$work/devices.json"; then
  echo "skipped: no GPU; convoy devices says $(cat "$work/devices.json")"
  exit 0
fi

entries=()
failed=0
benchmarks="${result%.json}.benchmarks.json"
log="${result%.json}.log"
rm -f "$benchmarks" "$log"
write() {
  {
    printf '{"devices":%s,"seconds":%d,"tests":[' "$(cat "$work/devices.json")" "$(( seconds - end + $(date +%s) ))"
    (IFS=,; printf '%s' "${entries[*]}")
    printf '],"benchmarks":'
    [[ -s $benchmarks ]] && cat "$benchmarks" || printf 'null'
    printf '}\n'
  } >"$result.part" && mv "$result.part" "$result"
}
left() { echo $(( end - $(date +%s) )); }
since() { awk -v a="$1" -v b="$(date +%s.%N)" 'BEGIN {printf "%.2f", b - a}'; }
least() { (( $1 < $2 )) && echo "$1" || echo "$2"; }
has_time() {  # NAME
  printf '\n== %s\n' "$1" >>"$log"
  (( $(left) >= 20 )) || { leave_out "$1" "the time is over"; return 1; }
}
add() {  # NAME SECONDS CODE JSON
  entries+=("{\"name\":\"$1\",\"seconds\":$2,\"exit_code\":$3,\"result\":${4:-null}}")
  printf '%-44s %8.1f s  %s\n' "$1" "$2" "$([[ $3 -eq 0 ]] && echo ok || echo "FAILED ($3)")"
  [[ $3 -eq 0 ]] || failed=1
  write
}
leave_out() {  # NAME REASON
  entries+=("{\"name\":\"$1\",\"left_out\":\"$2\"}")
  printf '%-44s left out: %s\n' "$1" "$2"
  write
}
timed() {  # NAME MOST_SECONDS COMMAND...: its standard output is JSON when its last line is
  local name=$1 most=$2 start code json
  shift 2
  has_time "$name" || return
  start=$(date +%s.%N)
  timeout -k 10 "$(least "$most" "$(left)")" "${environment[@]}" "$@" 2>>"$log" >"$work/out"
  code=$?
  tail -c 1000000 "$work/out" >>"$log"
  json=$(tail -n 1 "$work/out" | grep '^{' || true)
  [[ $code -eq 0 ]] || tail -n 30 "$log"
  add "$name" "$(since "$start")" "$code" "$json"
}
names() { sed -n "s/^$1 *\([A-Za-z_][^ ,]*\).*/\1/p" "$2"; }  # of tests in lines that begin so
as_json() { sed 's/.*/"&"/' | paste -sd,; }
# A program of tests, begun again without those that have run for as long as some test ends it before the last.
suite() {  # NAME MOST_SECONDS PROGRAM
  local name=$1 most=$2 program=$3 start code=0 last until skip
  has_time "$name" || return
  start=$(date +%s.%N)
  until=$(( $(date +%s) + $(least "$most" "$(left)") ))
  : >"$work/all"
  : >"$work/ended_in"
  while (( until - $(date +%s) >= 5 && $(wc -l <"$work/ended_in") < 20 )); do
    skip=$(names '\[ RUN      \]' "$work/all" | paste -sd:)
    timeout -k 10 $(( until - $(date +%s) )) "${environment[@]}" CONVOY_TEST_SECONDS=150 "$program" --gtest_filter="*${skip:+-$skip}" 2>&1 |
      tee "$work/out" >>"$log"
    code=${PIPESTATUS[0]}
    cat "$work/out" >>"$work/all"
    last=$(names '\[ RUN      \]' "$work/out" | tail -n 1)
    grep -q '^\[==========\] .* ran\.' "$work/out" && break
    grep -qE '^skipped: ' "$work/out" && break
    [[ -n $last ]] || break
    echo "$last" >>"$work/ended_in"
    echo "$name: ended in $last ($code)"
  done
  names '\[  FAILED  \]' "$work/all" | sort -u >"$work/failed"
  [[ -s $work/failed ]] && sed 's/^/  failed: /' "$work/failed" | head -n 40
  [[ $code -ne 0 || ! ( -s $work/failed || -s $work/ended_in ) ]] || code=1
  add "$name" "$(since "$start")" "$code" \
    "{\"passed\":$(grep -c '^\[       OK \]' "$work/all"),\"failed\":[$(as_json <"$work/failed")],\"ended_in\":[$(as_json <"$work/ended_in")]}"
}
comparison() {
  local share=75 most start code  # of the time that is left, in hundredths
  [[ ${parts[-1]} != comparison ]] || share=97
  has_time "comparison with PyTorch" || return
  if ! command -v "$python" >/dev/null; then leave_out "comparison with PyTorch" "there is no $python"; return; fi
  [[ -x $folder/build/tests/bench/train_step ]] || { leave_out "comparison with PyTorch" "the build has no train_step"; return; }
  most=$(( $(left) * share / 100 ))
  (( most >= 60 )) || { leave_out "comparison with PyTorch" "the time is over"; return; }
  start=$(date +%s.%N)
  timeout -k 10 $(( most + 60 )) "$python" "$folder/tests/gpu/compare.py" --seconds "$most" --python "$python" \
    --result "$benchmarks" |& tee -a "$log"
  code=${PIPESTATUS[0]}
  add "comparison with PyTorch" "$(since "$start")" "$code"
}
train() {  # NETWORK PRECISION: an epoch of made-up images, and its ledger of memory
  local network=$1 precision=$2
  [[ -e "$folder/configs/nets/$network.toml" ]] || return 0
  printf 'network = "%s"\n[data]\nkind = "synthetic"\nsamples = 1280\ntest_samples = 64\n' \
    "$folder/configs/nets/$network.toml" >"$work/job.toml"
  timed "$network $precision" 180 "$folder/build/convoy" train "$work/job.toml" --json --run-dir "$work/$network-$precision" \
    --set device=cuda --set "train.precision=$precision" --set train.batch=64 --set train.epochs=1 \
    --set optimizer.learning_rate=0.001 --set checkpoint.every_epochs=0 --set train.evaluate_every=0
}
sanitize() {  # TOOL FILTER
  if ! command -v compute-sanitizer >/dev/null; then leave_out "sanitizer $1" "there is no compute-sanitizer"; return; fi
  timed "sanitizer $1" 420 compute-sanitizer --tool "$1" --error-exitcode 9 "$folder/build/tests/gpu/gpu_layers_test" \
    --gtest_filter="$2"
}

layers() { suite layers 300 "$folder/build/tests/gpu/gpu_layers_test"; }
resnet50() { train resnet50 fp16; }
training() { suite training 400 "$folder/build/tests/gpu/gpu_training_on_gpu_test"; }
nccl() { suite nccl 300 "$folder/build/tests/gpu/gpu_nccl_test"; }
memcheck() { sanitize memcheck 'Layers/Golden.LayerEqualsPyTorch/*'; }
racecheck() {
  sanitize racecheck 'Layers/Golden.LayerEqualsPyTorch/batch_norm:Layers/Golden.LayerEqualsPyTorch/scale:Layers/Golden.LayerEqualsPyTorch/prelu'
}
networks() {
  local precision network
  for precision in fp16 bf16 tf32 fp32; do
    for network in lenet alexnet vgg16 googlenet resnet50; do
      [[ $network-$precision == resnet50-fp16 ]] || train "$network" "$precision"
    done
  done
}
sanitizer() { sanitize memcheck 'Layers/*:OwnBackend.*'; }

write
for part in "${parts[@]}"; do "$part"; done
echo "wrote $result"
exit $failed
