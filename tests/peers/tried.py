# What oidc-agent, pizauth, MSAL and google-auth do in some rows of docs/failure-modes.md. It judges nothing: it prints what
# was seen, a row a line, for docs/peers.md.
import json
import logging
import sys
import tempfile
import threading
import time

import msal_extensions

from clients import Google, Msal, OidcAgent, Pizauth, versions
from provider import LEFT_OUT, PAGE, start

logging.disable(logging.CRITICAL)


def at(make):
    provider, url = start()
    peer = make(url)
    return provider, peer


def outcome(do):
    try:
        return do()
    except Exception as error:
        return f"{type(error).__name__} {str(error)[:60]!r}".replace("|", "/")


def at_once(count, do):
    outcomes = []
    threads = [threading.Thread(target=lambda: outcomes.append(outcome(do))) for _ in range(count)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return outcomes


def sent(provider, before):
    return f"{len(provider.sent) - before} token requests"


def callers_at_once(make):
    provider, peer = at(make)
    provider.lifetime = 1
    peer.refresh()
    time.sleep(1.5)
    provider.lifetime, provider.delay, before = 3600, 0.2, len(provider.sent)
    outcomes = at_once(8, peer.ask)
    without = [str(each) for each in outcomes if not str(each).startswith("at-")]
    return f"{sent(provider, before)} for 8 callers on a token that is over, {len(without)} of whom get none"


def short_life(make):
    provider, peer = at(make)
    provider.lifetime = 60
    peer.refresh()
    before = len(provider.sent)
    for _ in range(10):
        time.sleep(0.2)
        outcome(peer.ask)
    return f"{sent(provider, before)} in 2 s and 10 calls, with tokens that live for 60 s"


def odd_lifetimes(make):
    seen = []
    for told in [0, -5, 10**12, "3600", "soon", LEFT_OUT]:
        provider, peer = at(make)
        provider.lifetime = told
        first = outcome(peer.refresh)
        before = len(provider.sent)
        again = [outcome(peer.ask) for _ in range(3)]
        worked = all(str(each).startswith("at-") for each in [first, *again])
        seen.append(f"{'none' if told is LEFT_OUT else told}: {sent(provider, before) if worked else first}")
    return "; ".join(seen) + " for the next 3 calls"


def no_refresh_token(make):
    seen = []
    for told in [LEFT_OUT, "", None]:
        provider, peer = at(make)
        provider.more = {"refresh_token": told}
        outcome(peer.refresh)
        held = provider.sent[-1]
        provider.good.add(held)
        provider.more = {}
        before = len(provider.sent)
        peer.forget_answers()
        again = outcome(peer.refresh)
        kept = len(provider.sent) > before and provider.sent[-1] == held
        seen.append(f"{'none' if told is LEFT_OUT else json.dumps(told)}: {'kept' if kept else f'lost, {again}'}")
    return "; ".join(seen)


def answers(make, *said):
    seen = []
    for status, headers, body in said:
        provider, peer = at(make)
        held = f"rt-{provider.number}"
        provider.says = [(status, headers, body)] * 3
        began, before = time.monotonic(), len(provider.sent)
        first = outcome(peer.refresh)
        tries, took = len(provider.sent) - before, time.monotonic() - began
        provider.says, before = [], len(provider.sent)
        peer.forget_answers()
        again = outcome(peer.refresh)
        kept = len(provider.sent) > before and provider.sent[-1] == held and str(again).startswith("at-")
        what = "kept" if kept else f"lost ({again})"
        seen.append(f"{status}: {first}, {tries} {'try' if tries == 1 else 'tries'} in {took:.0f} s, the refresh token is {what}")
    return "; ".join(seen)


def limited(make):
    provider, peer = at(make)
    provider.says = [(429, {"Retry-After": "3"}, "{}")]
    before, began = len(provider.sent), time.monotonic()
    outcomes = [outcome(peer.refresh) for _ in range(3)]
    return f"{sent(provider, before)} in {time.monotonic() - began:.0f} s by 3 calls, asked to wait for 3 s: {outcomes[0]}"


def dead(make):
    provider, peer = at(make)
    provider.good.clear()
    before = len(provider.sent)
    outcomes = [outcome(peer.refresh) for _ in range(5)]
    return f"{sent(provider, before)} by 5 calls after invalid_grant: {outcomes[-1]}"


def ahead_of_time(make):
    provider, peer = at(make)
    provider.lifetime = 200
    good = peer.refresh()
    provider.says = [(503, {}, "")] * 3
    served = outcome(peer.ask)
    return f"with 200 s to live and a provider that is down: {'the token' if served == good else served}"


def always_refused(make):
    provider, peer = at(make)
    if not hasattr(peer, "fetch"):
        return "it sends no requests"
    provider.always_refuses, before = True, len(provider.sent)
    status = peer.fetch()
    return f"{status} after {provider.asked} requests and {sent(provider, before)}"


def two_caches(make):
    if make is not Msal:
        return "not tried"
    with tempfile.TemporaryDirectory() as directory:
        cache = lambda: msal_extensions.PersistedTokenCache(msal_extensions.FilePersistence(f"{directory}/cache"))
        provider, one = at(lambda url: Msal(url, cache=cache()))
        other = Msal(one.url, cache=cache())
        provider.delay, before = 0.3, len(provider.sent)
        turns = iter([one, other])
        outcomes = sorted(str(each) for each in at_once(2, lambda: next(turns).refresh()))
        return f"{sent(provider, before)} with one refresh token by two caches of one file: {', '.join(outcomes)}"


def unsaved(make):
    if make is not Msal:
        return "not tried"

    class Broken(msal_extensions.FilePersistence):
        broken = False

        def save(self, content):
            if self.broken:
                raise OSError("No space left on device")
            super().save(content)

    with tempfile.TemporaryDirectory() as directory:
        persistence = Broken(f"{directory}/cache")
        provider, peer = at(lambda url: Msal(url, cache=msal_extensions.PersistedTokenCache(persistence)))
        Broken.broken = True
        first = outcome(peer.refresh)
        Broken.broken = False
        again = outcome(peer.refresh)
        return f"{first}; then the same call again sends {provider.sent[-1]} of {provider.number}: {again}"


ROWS = [
    ("A8", short_life),
    ("A10", odd_lifetimes),
    ("B1", callers_at_once),
    ("B6", two_caches),
    ("C1", unsaved),
    ("C6", no_refresh_token),
    ("D1", lambda make: answers(make, (400, {}, PAGE), (400, {}, '{"error":"invalid_request"}'))),
    ("D2", lambda make: answers(make, (403, {}, PAGE))),
    ("D3", lambda make: answers(make, (200, {}, PAGE), (302, {"Location": "/page"}, ""))),
    ("D4", lambda make: answers(make, (503, {}, ""), (502, {}, PAGE))),
    ("D5", limited),
    ("D7", ahead_of_time),
    ("D11", dead),
    ("F3", always_refused),
]

if __name__ == "__main__":
    there = versions()
    print(", ".join(f"{name} {version}" for name, version in there.items()))
    for row, look in ROWS:
        for make in (OidcAgent, Pizauth, Msal, Google):
            if make.name in there and row in (sys.argv[1:] or [row]):
                print(f"{row} {make.name}: {look(make)}", flush=True)
