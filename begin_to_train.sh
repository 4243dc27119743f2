#!/usr/bin/env bash
# Train one type: ./begin_to_train.sh [TYPE] [more flags of code/train.py]
#
# Edit TAG below, or name the type: ./begin_to_train.sh dress
# Any flag of train.py may follow and overrides the settings: ./begin_to_train.sh dress --model mobilenet_thin
# After an interruption, the same command continues from the last checkpoint.
# On several hosts: ./begin_to_train.sh dress --hosts a:2222,b:2222 --gpus 1; see docs/cluster.md.
# Relative paths start at the project's folder.
#
# The default network, vgg at 368 pixels, needs a GPU. Without a GPU, set MODEL to efficientnet_lite0 and INPUT_WIDTH
# and INPUT_HEIGHT to 256, or use ./begin_to_train_all.sh.
# After the set-up, `.venv/3.11/bin/python code/train.py --help` explains its flags (3.11 is your version of Python).
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"  # called by sh
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/code/setup.sh"

TAG=blouse            # blouse, dress, outwear, skirt, trousers, or all (one network for all types)
MODEL=vgg             # the network: see models/README.md; without a GPU: efficientnet_lite0. Each network has
                      # default weights in models/pretrained; --pretrain_path FILE names others, '' starts from scratch
DATAPATH=data         # the folder that contains train/train.csv and train/val.csv
IMGPATH=data          # the folder that contains train/Images/
INPUT_WIDTH=368       # pixels, a multiple of 8; without a GPU: 256
INPUT_HEIGHT=368
BATCHSIZE=16          # images in a step, over all towers of all hosts
GPUS=1                # towers that share a batch: the number of GPUs, which divides the batch size; the original has 8
MAX_EPOCH=140         # some 100,000 steps for one type of the FashionAI data
LR=1e-4               # multiplied by 0.33 every 30,000 steps; a list such as 1e-4,3e-5 is piecewise constant
MODELPATH=models/trained  # the folder of the checkpoints
LOGPATH=models/logs   # the folder of the logs for TensorBoard

driver_help "$@"
[[ ${1:--} == -* ]] || { TAG="$1"; shift; }
set_up
cd "$PROJECT"
exec python code/train.py --model "$MODEL" --tag "$TAG" --datapath "$DATAPATH" --imgpath "$IMGPATH" \
    --input-width "$INPUT_WIDTH" --input-height "$INPUT_HEIGHT" --batchsize "$BATCHSIZE" --gpus "$GPUS" \
    --max-epoch "$MAX_EPOCH" --lr "$LR" --modelpath "$MODELPATH" --logpath "$LOGPATH" "$@"
