"""`python -m receiver` is `oomtriage`."""

from receiver.cli import main

if __name__ == "__main__":
    main()
