#!/usr/bin/env bash
# Runs all that needs a GPU, of a build or of a bundle (bundle.sh), and writes RESULT, one JSON object, and a table.
#   tests/gpu/run.sh [RESULT]      RESULT: gpu-results.json
set -uo pipefail
folder="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
result="${1:-gpu-results.json}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
if [[ -e "$folder/lib.tar.gz" ]]; then
  # Of a bundle. The machine's own libraries come first: they fit its driver.
  mkdir "$work/lib"
  tar -C "$work/lib" -xzf "$folder/lib.tar.gz"
  export LD_LIBRARY_PATH="/usr/local/cuda/lib64:${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$work/lib"
fi
export CONVOY_TEST_SOURCE="$folder"

"$folder/build/convoy" devices --json >"$work/devices.json" || { echo "run.sh: convoy does not start here" >&2; exit 1; }
if ! grep -q '"kind":"cuda"' "$work/devices.json"; then
  echo "skipped: no GPU"
  exit 0
fi

entries=()
failed=0
add() {  # NAME SECONDS CODE JSON
  entries+=("{\"name\":\"$1\",\"seconds\":$2,\"exit_code\":$3,\"result\":${4:-null}}")
  printf '%-44s %8.1f s  %s\n' "$1" "$2" "$([[ $3 -eq 0 ]] && echo ok || echo "FAILED ($3)")"
  [[ $3 -eq 0 ]] || failed=1
}
timed() {  # NAME COMMAND...: its standard output is JSON when it is one line
  local name=$1 start code json
  shift
  start=$(date +%s.%N)
  timeout 600 "$@" >"$work/out" 2>"$work/err"
  code=$?
  json=$(tail -n 1 "$work/out" | grep '^{' || true)
  [[ $code -eq 0 ]] || tail -n 40 "$work/out" "$work/err"
  add "$name" "$(awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN {printf "%.2f", b - a}')" "$code" "$json"
}

timed layers "$folder/build/tests/gpu/gpu_layers_test"
timed training "$folder/build/tests/gpu/gpu_training_on_gpu_test"
timed nccl "$folder/build/tests/gpu/gpu_nccl_test"
for precision in fp32 tf32 bf16 fp16; do
  for network in lenet alexnet vgg16 googlenet resnet50; do
    [[ -e "$folder/configs/nets/$network.toml" ]] || continue
    printf 'network = "%s"\n[data]\nkind = "synthetic"\nsamples = 1280\ntest_samples = 64\n' \
      "$folder/configs/nets/$network.toml" >"$work/job.toml"
    timed "$network $precision" "$folder/build/convoy" train "$work/job.toml" --json --run-dir "$work/$network-$precision" \
      --set device=cuda --set "train.precision=$precision" --set train.batch=64 --set train.epochs=1 \
      --set optimizer.learning_rate=0.001 --set checkpoint.every_epochs=0 --set train.evaluate_every=0
  done
done
{
  printf '{"devices":%s,"tests":[' "$(cat "$work/devices.json")"
  (IFS=,; printf '%s' "${entries[*]}")
  printf ']}\n'
} >"$result"
echo "wrote $result"
exit $failed
