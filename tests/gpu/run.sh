#!/usr/bin/env bash
# Runs all that needs a GPU, of a build or of a bundle (bundle.sh), in the order of its value, and writes RESULT, one JSON object,
# and a table. After each part RESULT is written, and a part begins only where time is left for it, so that a machine that is lent
# for a while gives what it can.
#   tests/gpu/run.sh [--seconds N] [--python PYTHON] [RESULT]
#     --seconds  for all of it (3600)
#     --python   an interpreter with PyTorch, to compare with (python3)
#     RESULT     gpu-results.json; the comparison with PyTorch alone is in RESULT with .benchmarks before its end
set -uo pipefail
folder="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
seconds=3600
python=python3
result=gpu-results.json
while (( $# > 0 )); do
  case $1 in
    --seconds | --python)
      [[ $# -ge 2 ]] || { echo "run.sh: $1 needs a value" >&2; exit 2; }
      [[ $1 == --seconds ]] && seconds=$2 || python=$2
      shift 2 ;;
    -*) echo "run.sh: unknown option $1; --seconds N, --python PYTHON" >&2; exit 2 ;;
    *) result=$1; shift ;;
  esac
done
[[ $seconds =~ ^[0-9]+$ ]] || { echo "run.sh: --seconds $seconds is no number" >&2; exit 2; }
end=$(( $(date +%s) + seconds ))
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
if [[ -e "$folder/lib.tar.gz" ]]; then
  # Of a bundle. The machine's own libraries come first: they fit its driver.
  tar -C "$folder" -xzf "$folder/build.tar.gz"
  mkdir "$work/lib"
  tar -C "$work/lib" -xzf "$folder/lib.tar.gz"
  export LD_LIBRARY_PATH="/usr/local/cuda/lib64:${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$work/lib"
fi
export CONVOY_TEST_SOURCE="$folder"
# What was measured of kernels stays with this run.
export CONVOY_CACHE="${CONVOY_CACHE:-$work/cache}"

"$folder/build/convoy" devices --json >"$work/devices.json" || { echo "run.sh: convoy does not start here" >&2; exit 1; }
if ! grep -q '"kind":"cuda"' "$work/devices.json"; then
  echo "skipped: no GPU"
  exit 0
fi

entries=()
failed=0
benchmarks="${result%.json}.benchmarks.json"
rm -f "$benchmarks"
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
  (( $(left) >= 20 )) || { leave_out "$name" "the time is over"; return; }
  (( most < $(left) )) || most=$(left)
  start=$(date +%s.%N)
  timeout -k 10 "$most" "$@" >"$work/out" 2>"$work/err"
  code=$?
  json=$(tail -n 1 "$work/out" | grep '^{' || true)
  [[ $code -eq 0 ]] || tail -n 40 "$work/out" "$work/err"
  add "$name" "$(awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN {printf "%.2f", b - a}')" "$code" "$json"
}
compare() {  # SHARE: of the time that is left, in hundredths
  if ! command -v "$python" >/dev/null; then leave_out "comparison with PyTorch" "there is no $python"; return; fi
  [[ -x $folder/build/tests/bench/train_step ]] || { leave_out "comparison with PyTorch" "the build has no train_step"; return; }
  local most=$(( $(left) * $1 / 100 )) start code
  (( most >= 60 )) || { leave_out "comparison with PyTorch" "the time is over"; return; }
  start=$(date +%s.%N)
  timeout -k 10 $(( most + 60 )) "$python" "$folder/tests/gpu/compare.py" --seconds "$most" --python "$python" \
    --result "$benchmarks" | tee "$work/table"
  code=${PIPESTATUS[0]}
  add "comparison with PyTorch" "$(awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN {printf "%.2f", b - a}')" "$code"
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

write
timed layers 600 "$folder/build/tests/gpu/gpu_layers_test"
timed training 600 "$folder/build/tests/gpu/gpu_training_on_gpu_test"
timed nccl 300 "$folder/build/tests/gpu/gpu_nccl_test"
train resnet50 fp16
sanitize memcheck 'Layers/Golden.LayerEqualsPyTorch/*'
compare 75
sanitize racecheck 'Layers/Golden.LayerEqualsPyTorch/batch_norm:Layers/Golden.LayerEqualsPyTorch/scale:Layers/Golden.LayerEqualsPyTorch/prelu'
for precision in fp16 bf16 tf32 fp32; do
  for network in lenet alexnet vgg16 googlenet resnet50; do
    [[ $network-$precision == resnet50-fp16 ]] || train "$network" "$precision"
  done
done
sanitize memcheck 'Layers/*:OwnBackend.*'
echo "wrote $result"
exit $failed
