# What `make crash` says to each of its peers, a line at a time, and what it hears.
import sys


def serve(refresh, begin):
    print("ready", flush=True)
    for line in sys.stdin:
        word, *token = line.split()
        print("saved" if (begin(*token) if token else refresh()) else "refused", flush=True)
