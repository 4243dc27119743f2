"""The page that evaluate.py --report writes: what a submission errs in, in figures, words and pictures."""
