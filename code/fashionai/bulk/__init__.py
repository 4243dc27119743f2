"""Predicts millions of pictures: a list of pictures, workers on a Ray cluster, and an output of Parquet parts."""
