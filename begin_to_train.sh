#!/usr/bin/env bash
# Train one type: ./begin_to_train.sh [TYPE] [more flags of code/train.py]
#
# Edit the tag below, or name the type: ./begin_to_train.sh dress
# Any other flag of train.py may follow and wins over the settings: ./begin_to_train.sh dress --model mobilenet_thin
# The same command goes on from the last checkpoint after an interruption. Relative paths start at the project's folder.
# After the set-up, .venv/3.11/bin/python code/train.py --help explains its flags (3.11: or your version of Python).
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"  # called by sh
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/code/setup.sh"

TAG=blouse            # blouse, dress, outwear, skirt, trousers, or all: one network for every type
MODEL=vgg             # the network: see models/README.md. At 368 pixels vgg wants a GPU. Without one: efficientnet_lite0
                      # here and 256 below, or ./begin_to_train_all.sh. Each starts from its usual weights in
                      # models/pretrained; others: --pretrain_path FILE, or --pretrain_path '' for none
DATAPATH=data         # has train/train.csv and train/val.csv
IMGPATH=data          # has train/Images/
INPUT_WIDTH=368       # pixels, multiples of 8
INPUT_HEIGHT=368
BATCHSIZE=16          # images a step, all towers together
GPUS=1                # towers that share a batch: as many as the machine has GPUs, a divisor of the batch
MAX_EPOCH=140         # some 100,000 steps for one type of the FashionAI data
LR=1e-4               # x 0.33 every 30,000 steps; a comma list is piecewise constant
MODELPATH=models/trained  # checkpoints go here
LOGPATH=models/logs   # for TensorBoard

driver_help "$@"
[[ ${1:--} == -* ]] || { TAG="$1"; shift; }
set_up
cd "$PROJECT"
python code/train.py --model "$MODEL" --tag "$TAG" --datapath "$DATAPATH" --imgpath "$IMGPATH" \
    --input-width "$INPUT_WIDTH" --input-height "$INPUT_HEIGHT" --batchsize "$BATCHSIZE" --gpus "$GPUS" \
    --max-epoch "$MAX_EPOCH" --lr "$LR" --modelpath "$MODELPATH" --logpath "$LOGPATH" "$@"
