"""`python -m netbench` is the console program."""

from netbench.tasks import main

main()
