"""`brevduva` and `python -m engine`."""

from engine.shell.app import main

if __name__ == "__main__":
    main()
