"""`python -m evaluators`: the same command as `understudy`."""

from evaluators.cli import main

if __name__ == "__main__":
    main()
