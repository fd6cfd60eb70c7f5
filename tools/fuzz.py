#!/usr/bin/env python3
"""Runs the fuzz entries of a build.

usage: tools/fuzz.py BUILD [ENTRY] [SECONDS]     one entry, or each in turn, for SECONDS (60)
       tools/fuzz.py BUILD --each SECONDS        each entry, two at a time, "ok" or "not ok" a line

The corpus grows in BUILD/corpus/ENTRY; fuzz/seeds/ENTRY is read and never written.  A crash is left
in BUILD/crash-ENTRY-*; keep it as a seed together with the failing test.
"""
import concurrent.futures
import glob
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def entries(build):
    found = sorted(glob.glob(os.path.join(ROOT, build, "fuzz", "fuzz_*")))
    return [f for f in found if os.access(f, os.X_OK) and not os.path.isdir(f)]


def command(build, program, seconds):
    name = os.path.basename(program)[len("fuzz_"):]
    corpus = os.path.join(ROOT, build, "corpus", name)
    os.makedirs(corpus, exist_ok=True)
    seeds = os.path.join(ROOT, "fuzz", "seeds", name)
    args = [program, "-max_total_time=%d" % seconds, "-rss_limit_mb=2048", "-timeout=10",
            "-verbosity=0", "-print_final_stats=0",
            "-artifact_prefix=%s/crash-%s-" % (os.path.join(ROOT, build), name), corpus]
    if os.path.isdir(seeds):
        args.append(seeds)
    return name, args


def each(build, seconds):
    def one(program):
        name, args = command(build, program, seconds)
        r = subprocess.run(args, capture_output=True, text=True, errors="replace")
        return name, r.returncode, r.stderr[-3000:]

    bad = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, code, err in pool.map(one, entries(build)):
            print("%s %s" % ("ok" if code == 0 else "not ok", name))
            if code:
                bad += 1
                print(err)
    return 1 if bad else 0


def main():
    args = sys.argv[1:]
    build = args.pop(0)
    if args[:1] == ["--each"]:
        return each(build, int(args[1]))
    only = args.pop(0) if args and not args[0].isdigit() else None
    seconds = int(args.pop(0)) if args else 60
    known = {os.path.basename(e)[len("fuzz_"):]: e for e in entries(build)}
    if only and only not in known:
        print("fuzz: no entry '%s'; there are: %s" % (only, " ".join(sorted(known))),
              file=sys.stderr)
        return 2
    for name in [only] if only else sorted(known):
        print("fuzz: %s for %d s" % (name, seconds), flush=True)
        code = subprocess.run(command(build, known[name], seconds)[1]).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
