"""`brevduva` for people at a shell: tables to read, `--json` for machines, exit code 1 on trouble."""
