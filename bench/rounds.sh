#!/bin/sh
# Does it pay to train by several workers? Equal samples, 1 to 8 workers, rounds of 10 steps to a whole epoch, against SGD and SWA:
#   sh bench/rounds.sh OUT NET EPOCHS FIRST_SEED LAST_SEED [SAMPLES [PRECISION]]
# A line of figures a run goes into OUT/NET.csv; runs that are there already are left out, so that it can be interrupted.
set -eu
out=$1 net=$2 epochs=$3 samples=${6:-10000}
epoch=$((samples / 32)) # steps
mkdir -p "$out"
table=$out/$net.csv
[ -f "$table" ] || echo "method,workers,inner_steps,seed,accuracy,nll,sequential_steps,megabytes" > "$table"
basin=${BASIN:-java -Xmx2g -jar target/basin.jar}
common="fashion-mnist --model $net --train-samples $samples --epochs $epochs --batch-size 32 --threads 1 --precision ${7:-fp32}"

# method, workers, inner steps, seed, further flags
rounds() {
  grep -q "^$1,$2,$3,$4," "$table" && return
  run=$out/run-$$
  inner="--inner-steps $3"
  case $1 in swap | parallel-swa) inner= ;; esac # their workers meet once
  # shellcheck disable=SC2086 # lists of words
  $basin rounds $common --method "$1" --workers "$2" $inner --seed "$4" --slots 2 $5 --out "$run" --csv "$run.csv" > /dev/null
  tail -n 1 "$run.csv" | awk -F, -v row="$1,$2,$3,$4" -v OFS=, '{ print row, $2, $3, $6, $8 / 1e6 }' >> "$table"
  rm -r "$run" "$run.csv"
}

for seed in $(seq "$4" "$5"); do
  if ! grep -q "^swa,1,0,$seed," "$table"; then
    run=$out/run-$$
    # shellcheck disable=SC2086
    $basin compare $common --methods sgd,swa --swa-lr 0.05 --swa-start 0.5 --seed "$seed" --seeds 1 --out "$run" --csv "$run.csv" > /dev/null
    tail -n 2 "$run.csv" | awk -F, -v seed="$seed" -v OFS=, '{ print $1, 1, 0, seed, $6, $8, "", 0 }' >> "$table"
    rm -r "$run" "$run.csv"
  fi
  rounds local-sgd 1 10 "$seed" "" # SGD itself, however long its rounds: once is enough
  for workers in 2 4 8; do
    for steps in 10 50 $epoch; do
      rounds local-sgd "$workers" "$steps" "$seed" ""
    done
    rounds diloco "$workers" 50 "$seed" ""
  done
  rounds swap 4 50 "$seed" "--swa-start 0.5 --swa-lr 0.02"
  rounds parallel-swa 4 50 "$seed" "--swa-start 0.5 --swa-lr 0.05"
  rounds post-local-sgd 4 50 "$seed" ""
done
