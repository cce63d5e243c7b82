# MSAL for Python with the cache of its extensions, which is a file. It speaks HTTPS only, so the provider is called by
# another name.
import os
import sys

import msal
import msal_extensions
import requests

from line import serve

url, path = sys.argv[1:3]
NAME = "https://strict.test/tenant"


class Answer:
    def __init__(self, answer):
        self.status_code = answer.status_code
        self.headers = answer.headers
        self.text = answer.text.replace(url, NAME)

    def raise_for_status(self):
        if self.status_code >= 400:
            raise requests.HTTPError(self.status_code)


class Http:
    def get(self, to, **more):
        return Answer(requests.get(to.replace(NAME, url), **more))

    def post(self, to, **more):
        return Answer(requests.post(to.replace(NAME, url), **more))

    def close(self):
        pass


# A kill leaves its lock behind, which would hold it up until somebody removes it.
if os.path.exists(path + ".lockfile"):
    os.remove(path + ".lockfile")
cache = msal_extensions.PersistedTokenCache(msal_extensions.FilePersistence(path))
app = msal.PublicClientApplication("msal", oidc_authority=NAME, token_cache=cache, http_client=Http())


def saved(said):
    return bool(said) and "access_token" in said


def refresh():
    accounts = app.get_accounts()
    return saved(accounts and app.acquire_token_silent_with_error(["read"], accounts[0], force_refresh=True))


serve(refresh, lambda token: saved(app.acquire_token_by_refresh_token(token, ["read"])))
