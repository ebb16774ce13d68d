"""How fast it is: a file a benchmark, each with `main()`; ratios within one run, never times to compare across runs."""
