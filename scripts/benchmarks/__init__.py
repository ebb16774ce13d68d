"""How fast it is: one file a benchmark, each with `main(arguments)`; ratios within one run, never times to compare across runs."""
