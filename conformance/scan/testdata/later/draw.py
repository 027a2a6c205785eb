"""Prints the packages of Debian's bookworm in the order in which programs were drawn for
this folder: by the SHA-256 of a fixed text and their name, apart for those built with Go.
Small packages of programs for the command line, as their tags say (debtags)."""

import hashlib
import re
import subprocess

SECTIONS = "admin database devel editors graphics httpd interpreters mail math misc net news science shells sound text utils vcs web".split()


def fields():
    text = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True).stdout
    for paragraph in text.split("\n\n"):
        found = dict(re.findall(r"^([A-Za-z-]+): (.*(?:\n .*)*)", paragraph, re.M))
        if found.get("Architecture") == "amd64":
            yield found["Package"], found


def rank(name):
    return hashlib.sha256(("seccompile scan 2026-11-30 " + name).encode()).hexdigest()


others, golang = set(), set()
for name, f in fields():
    tags, size = f.get("Tag", "").replace("\n", ""), int(f.get("Installed-Size", "0"))
    if "golang-1" in f.get("Built-Using", "") + f.get("Static-Built-Using", ""):
        if size < 120_000:
            golang.add(name)
    elif ("role::program" in tags and "x11" not in tags and size < 8_000 and f.get("Section") in SECTIONS
          and ("interface::commandline" in tags or "interface::daemon" in tags)):
        others.add(name)
print("others:", *sorted(others, key=rank)[:70])
print("Go:", *sorted(golang, key=rank)[:40])
