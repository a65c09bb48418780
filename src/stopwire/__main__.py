"""`python -m stopwire`: the same as the `stopwire` command."""

from stopwire.cli.main import main

if __name__ == "__main__":
    main()
