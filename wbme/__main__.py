"""``python -m wbme`` is the command ``wbme``."""

from wbme.cli import main

if __name__ == "__main__":
    main()
