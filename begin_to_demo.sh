#!/usr/bin/env bash
# Run the whole chain on generated garments, without any data: ./begin_to_demo.sh
#
# It generates images, trains one light network for all five types, freezes it, finds the keypoints of images that the
# network has not seen, merges the results, measures them and draws them. This takes at most ten minutes on two cores
# after the set-up. Training starts from small weights that this project trained on generated garments. All results are
# in tmp/demo, except submit/submit.csv.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"  # called by sh
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/code/setup.sh"

TYPES=(blouse dress outwear skirt trousers)
TRAIN=1000            # generated images to train on, all types together
VAL=50                # images to validate with during training
TEST=50               # images to test on
SEED=1
MODEL=mobilenet_small
PRETRAIN_PATH=synthetic_mobilenet_small.npz  # in models/pretrained
SIZE=192              # pixels of the network's input
BATCHSIZE=16
LR=5e-4,1e-4          # the second rate from step DECAY_STEPS on
DECAY_STEPS=80
STEPS=120

DEMO=tmp/demo
DATA="$DEMO/data"
GRAPH="$DEMO/frozen_graph.pb"
SUBMISSION="$DEMO/submit/submit.csv"
PICTURE="$DEMO/predictions.png"
PUBLISHED=tmp/demo_published.csv  # a copy of the demo's last submit/submit.csv, to know it from a user's

generate() {
    say "1/6 generating $TRAIN garments to train on, $VAL to validate with, $TEST to test on"
    python code/synthesize.py --output "$DATA" --train "$TRAIN" --val "$VAL" --test "$TEST" --seed "$SEED"
}

train() {
    say "2/6 training $MODEL for all five types, $STEPS steps from $PRETRAIN_PATH"
    python code/train.py --model "$MODEL" --tag all --datapath "$DATA" --imgpath "$DATA" \
        --input-width "$SIZE" --input-height "$SIZE" --batchsize "$BATCHSIZE" --gpus 1 --lr "$LR" --seed "$SEED" \
        --decay-steps "$DECAY_STEPS" --max-steps "$STEPS" --validate-every "$STEPS" --pretrain_path "$PRETRAIN_PATH" \
        --modelpath "$DEMO/trained" --logpath "$DEMO/logs"
}

freeze() {
    say "3/6 freezing the network to $GRAPH"
    python code/freeze.py --tag all --checkpoint "$DEMO/trained/all" --output "$GRAPH"
}

predict() {
    local tag
    for tag in "${TYPES[@]}"; do
        say "4/6 finding the keypoints of the test images: $tag"
        python code/run.py --modelpath "$GRAPH" --imagepath "$DATA/test" --csv "$DATA/test/test.csv" --tag "$tag" \
            --test submit --output "$DEMO/submit/submit_$tag.csv"
    done
}

measure() {
    say '5/6 merging the five types and measuring the error'
    python submit/merge.py "$DEMO"/submit/submit_*.csv --list "$DATA/test/test.csv" --output "$SUBMISSION"
    python code/evaluate.py --truth "$DATA/test/answer.csv" --submission "$SUBMISSION"
}

draw() {
    say '6/6 drawing the predictions'
    python code/draw.py --csv "$SUBMISSION" --imagepath "$DATA/test" --output "$PICTURE"
}

# Copy the submission to submit/submit.csv. If a file of the user is there, it is kept under another name.
publish() {
    if [[ -e submit/submit.csv ]] && ! cmp -s submit/submit.csv "$PUBLISHED"; then
        mv --backup=numbered submit/submit.csv submit/submit.csv.before-demo
        say 'your submit/submit.csv is now submit/submit.csv.before-demo'
    fi
    cp "$SUBMISSION" "$PUBLISHED"
    cp "$SUBMISSION" submit/submit.csv
}

driver_help "$@"
(($# == 0)) || die "$0 takes no arguments: its settings are on top of the file"
set_up
cd "$PROJECT"
rm -rf "$DEMO"
mkdir -p "$DEMO/submit"
generate
train
freeze
predict
measure
draw
publish
say "done: the submission is submit/submit.csv, the picture $PICTURE"
