# What somebody writes who keeps one token in one file and knows how: a temporary file, fsync, rename.
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

from line import serve

url, path = sys.argv[1:3]


def save(tokens):
    with open(path + ".new", "w") as file:
        json.dump(tokens, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".new", path)


def refresh(token):
    form = {"grant_type": "refresh_token", "client_id": "script", "refresh_token": token}
    try:
        with urllib.request.urlopen(url + "/token", urllib.parse.urlencode(form).encode()) as answer:
            save(json.load(answer))
    except urllib.error.HTTPError:
        return False
    return True


serve(lambda: refresh(json.load(open(path))["refresh_token"]), refresh)
